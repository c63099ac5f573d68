"""The probe server's answers."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from plumbing.probes import Probes


class _Service:
    def __init__(self) -> None:
        self.now = 0.0
        self.parts = {"kafka": True, "state": False}
        self.registry = CollectorRegistry()
        self.probes = Probes(
            "127.0.0.1",
            0,
            self.registry,
            lambda: self.parts,
            stalled_after=60.0,
            clock=lambda: self.now,
        )


@pytest.fixture
def service() -> Iterator[_Service]:
    made = _Service()
    yield made
    made.probes.close()


def test_readiness_names_what_is_missing(service: _Service) -> None:
    """Not ready is 503 with the missing parts; all there is 200."""
    status, _, body = service.probes.answer("/readyz")
    assert status == 503 and json.loads(body) == {"ready": False, "missing": ["state"]}
    service.parts["state"] = True
    assert service.probes.answer("/readyz")[0] == 200


def test_a_stalled_loop_is_not_alive(service: _Service) -> None:
    """A minute without a beat is 503 until the loop beats again."""
    assert service.probes.answer("/healthz")[0] == 200
    service.now = 61.0
    assert service.probes.answer("/healthz")[0] == 503
    service.probes.beat()
    assert service.probes.answer("/healthz")[0] == 200


def test_unknown_paths_say_what_there_is(service: _Service) -> None:
    """Anything else is 404."""
    assert service.probes.answer("/")[0] == 404


def test_it_serves_metrics_over_http(service: _Service) -> None:
    """A free port is taken, and the registry's metrics are found there."""
    Counter("ticks", "Ticks.", registry=service.registry).inc()
    port = service.probes.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        assert b"ticks_total 1.0" in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="503") as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60)
    refused.value.close()

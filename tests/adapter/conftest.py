"""The adapter in front of a V2 server of this process."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from adapter.app import create_app
from adapter.config import Settings
from featurizer.features import EXAMPLE
from plumbing.tracing.trace import UNTRACED, Tracer
from serving.client import V2Client
from serving.control import Serving
from tests.serving.fake_v2 import FakeV2

with warnings.catch_warnings():
    # Starlette's client names a class by its old place in anyio, once, at import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from starlette.testclient import TestClient


@dataclass
class Clock:
    """Seconds that only move when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Adapter:
    """The running adapter and what a test may turn."""

    client: TestClient
    serving: Serving
    clock: Clock
    registry: CollectorRegistry
    control: list[str] = field(default_factory=lambda: ["followed"])

    def predict(self, *rows: dict[str, Any], **kwargs: Any) -> Any:
        return self.client.post("/predict", json={"rows": list(rows)}, **kwargs)

    def sample(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, labels)
        return 0.0 if value is None else value


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for seconds is no model server that is gone."""
    monkeypatch.setattr("adapter.model_router.LONGEST_LOOK_SECONDS", 60.0)


@pytest.fixture
def row() -> dict[str, Any]:
    """A right row."""
    return dict(EXAMPLE)


@pytest.fixture
def adapter(v2: FakeV2) -> Iterator[Callable[..., Adapter]]:
    """Starts the adapter: settings by name, and ``fallback``, ``peer`` where they matter."""
    running: list[TestClient] = []

    def start(
        fallback: Any = None,
        peer: str = "198.51.100.1",
        url: str | None = None,
        tracer: Tracer = UNTRACED,
        **settings: Any,
    ) -> Adapter:
        clock, registry = Clock(), CollectorRegistry()
        patient = {"model_timeout_seconds": 60.0} | settings
        chosen = Settings(model_url=url or v2.url, **patient)
        serving, control = Serving(chosen.variant), ["followed"]
        timeout = chosen.model_timeout_seconds
        client = V2Client(chosen.model_url, timeout=timeout, tracer=tracer)
        app = create_app(
            chosen,
            client,
            serving,
            registry=registry,
            fallback=fallback,
            control=lambda: control[-1],
            opened=client,
            clock=clock,
            now_us=lambda: 1_763_812_800_000_001,
            service_version="0.1.0",
            tracer=tracer,
        )
        http = TestClient(app, client=(peer, 50_000), raise_server_exceptions=False)
        running.append(http.__enter__())
        return Adapter(http, serving, clock, registry, control)

    yield start
    for client in running:
        client.__exit__(None, None, None)

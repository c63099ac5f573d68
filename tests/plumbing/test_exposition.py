"""What a scrape gets."""

import pytest
from prometheus_client import CollectorRegistry, Histogram

from plumbing.exposition import exposition, new_registry

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
)
"""What a Prometheus 3 without Protobuf sends as Accept."""


@pytest.fixture
def registry() -> CollectorRegistry:
    """One histogram with one exemplar."""
    made = CollectorRegistry()
    histogram = Histogram("step_seconds", "A step.", buckets=(0.1, 1), registry=made)
    histogram.observe(0.5, {"trace_id": "a" * 32})
    return made


def test_prometheus_gets_open_metrics_with_exemplars(registry: CollectorRegistry) -> None:
    """Asked for OpenMetrics, a bucket shows the trace that fell into it."""
    kind, body = exposition(registry, PROMETHEUS)
    assert kind.startswith("application/openmetrics-text")
    marked = 'step_seconds_bucket{le="1.0"} 1.0 # {trace_id="' + "a" * 32 + '"} 0.5'
    assert marked in body.decode()
    assert body.endswith(b"# EOF\n")


def test_others_get_text_without_exemplars(registry: CollectorRegistry) -> None:
    """Asked for nothing, the old format comes, which knows none."""
    kind, body = exposition(registry, "")
    assert kind.startswith("text/plain")
    assert b"trace_id" not in body and b'step_seconds_bucket{le="1.0"} 1.0\n' in body


@pytest.mark.parametrize("accept", ["", PROMETHEUS])
def test_no_series_tells_when_another_began(registry: CollectorRegistry, accept: str) -> None:
    """``_created`` would be one more series for each child."""
    assert b"_created" not in exposition(registry, accept)[1]


def test_a_new_registry_tells_of_the_process() -> None:
    """CPU, memory and start of this process are there from the beginning."""
    text = exposition(new_registry(), "")[1].decode()
    for name in ("cpu_seconds_total", "resident_memory_bytes", "start_time_seconds", "open_fds"):
        assert f"\nprocess_{name} " in text

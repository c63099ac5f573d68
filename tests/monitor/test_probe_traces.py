"""The prober begins a trace, and the adapter is told of it."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from plumbing.exposition import exposition
from plumbing.tracing.otel import Recorder
from tests.monitor.test_prober import Adapter, probe, row

OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


def test_a_probe_is_the_root_of_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request carries it, and the histogram of probes leads to it."""
    monkeypatch.setattr("plumbing.tracing.otel.CLOSE_SECONDS", 60.0)
    kept, adapter = InMemorySpanExporter(), Adapter()
    tracer = Recorder("monitor", kept)
    result, registry = probe(adapter, lambda: row(1), tracer=tracer)
    tracer.close()
    [span] = kept.get_finished_spans()
    trace_id = f"{span.context.trace_id:032x}"
    assert (span.name, span.parent, result) == ("probe", None, "ok")
    assert dict(span.attributes or {}) == {"result": "ok"}
    assert adapter.seen[0][0]["traceparent"].split("-")[1] == trace_id
    assert f'# {{trace_id="{trace_id}"}}' in exposition(registry, OPEN_METRICS)[1].decode()

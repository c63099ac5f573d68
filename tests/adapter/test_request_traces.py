"""A request is a span of its caller's trace, and the model's answer one below it."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from plumbing.tracing.otel import Recorder

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


class Kept:
    """A tracer and what it recorded."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracer = Recorder("adapter", self._exporter)

    def spans(self) -> dict[str, ReadableSpan]:
        self.tracer.close()
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """A tracer in memory, which is not given up before all is told."""
    monkeypatch.setattr("plumbing.tracing.otel.CLOSE_SECONDS", 60.0)
    made = Kept()
    yield made
    made.tracer.close()


def test_a_prediction_stands_in_its_callers_trace(adapter, row, v2, kept):
    """The request is the caller's child, the model call the request's, and the model knows it."""
    front = adapter(tracer=kept.tracer)
    assert front.predict(row, headers=CALLER).status_code == 200
    spans = kept.spans()
    request, infer = spans["request"], spans["infer"]
    assert f"{request.context.trace_id:032x}" == f"{infer.context.trace_id:032x}" == TRACE_ID
    assert f"{request.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert infer.parent.span_id == request.context.span_id
    assert v2.traceparents[-1].split("-")[1:3] == [TRACE_ID, f"{infer.context.span_id:016x}"]
    assert request.attributes["http.response.status_code"] == 200


def test_v2_passes_the_trace_on(adapter, v2, kept):
    """Also what is passed through unchanged is two spans."""
    front = adapter(tracer=kept.tracer)
    front.client.post("/v2/models/ml/infer", json={"inputs": []}, headers=CALLER)
    assert kept.spans().keys() == {"request", "infer"}
    assert v2.traceparents[-1].split("-")[1] == TRACE_ID


def test_the_histogram_leads_to_the_trace(adapter, row, kept):
    """Asked for OpenMetrics, the bucket of a request shows its trace."""
    front = adapter(tracer=kept.tracer)
    front.predict(row, headers=CALLER)
    lines = front.client.get("/metrics", headers=OPEN_METRICS).text.splitlines()
    marked = [line for line in lines if f'# {{trace_id="{TRACE_ID}"}}' in line]
    assert len(marked) == 1
    assert marked[0].startswith("adapter_request_duration_seconds_bucket{")
    assert 'route="/predict",status="2xx"' in marked[0]


def test_an_error_of_ours_is_one_of_the_trace(adapter, row, v2, kept):
    """A model that is away fails its span and that of the request."""
    front = adapter(tracer=kept.tracer)
    v2.status["ml"] = 500
    assert front.predict(row).status_code == 503
    assert not kept.spans()["request"].status.is_ok


def test_supervisors_make_no_traces(adapter, kept):
    """Probes, scrapes and looks at the models come every second: none of them is recorded."""
    front = adapter(tracer=kept.tracer)
    for path in ("/health", "/healthz", "/readyz", "/metrics", "/version", "/v2/health/ready"):
        front.client.get(path)
    assert kept.spans() == {}


def test_without_a_collector_the_trace_is_carried_on(adapter, row, v2):
    """The model is told the caller's trace though nobody here records it."""
    adapter().predict(row, headers=CALLER)
    assert v2.traceparents[-1].split("-")[1] == TRACE_ID

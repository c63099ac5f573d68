"""Recorded spans, and that nothing is loaded where none are wanted."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from plumbing.tracing.otel import CLOSE_SECONDS, Recorder, exporter
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.trace import UNTRACED
from plumbing.tracing.tracer import open_tracer
from tests.ports import held_port

ROOT = Path(__file__).resolve().parents[3]
SHELLS = "ingestor.service featurizer.service scorer.service adapter.app monitor.service"
SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LEFT_OUT = SAMPLED[:-1] + "0"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What was exported, in memory; closing does not give it up on a machine that stands still."""
    monkeypatch.setattr("plumbing.tracing.otel.CLOSE_SECONDS", 60.0)
    return InMemorySpanExporter()


class Stuck(InMemorySpanExporter):
    """Exports nothing before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.let_go.wait()
        return super().export(spans)


@pytest.mark.process
def test_without_a_collector_no_sdk_is_loaded() -> None:
    """All shells imported and a tracer opened: OpenTelemetry is still not there."""
    code = (
        "import importlib, sys\n"
        f"for name in {SHELLS!r}.split(): importlib.import_module(name)\n"
        "from plumbing.tracing.tracer import open_tracer\n"
        "from plumbing.tracing.settings import TraceSettings\n"
        "open_tracer('x', TraceSettings(exporter_otlp_endpoint=None)).begin('step').end()\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"exporter_otlp_endpoint": ""},
        {"exporter_otlp_endpoint": "http://c:4318", "sdk_disabled": True},
        {"exporter_otlp_endpoint": "http://c:4318", "traces_exporter": "none"},
    ],
)
def test_nothing_is_recorded_unless_it_is_wanted(given: dict[str, Any]) -> None:
    """No endpoint, an empty one, or a word against it: the trace is only carried on."""
    tracer = open_tracer("x", TraceSettings(**given))
    assert tracer is UNTRACED
    span = tracer.begin("step", SAMPLED)
    assert (span.recorded, span.exemplar) == (False, None)
    assert span.traceparent.split("-")[1] == SAMPLED.split("-")[1]


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose hands unset variables on as empty ones."""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.setenv(name, "")
    assert not TraceSettings().wanted


def test_a_span_is_a_child_with_times_attributes_and_exemplar(kept: InMemorySpanExporter) -> None:
    """What was told arrives: parent, both times in our microseconds, attributes, failure, link."""
    tracer = Recorder("featurizer", kept)
    parent = tracer.begin("ingest", start_us=1_000_000)
    child = tracer.begin("featurize", parent.traceparent, start_us=2_000_000)
    child.tell("row_id", "r")
    child.fail("why")
    child.link(parent)
    child.end(3_000_000)
    parent.end(4_000_000)
    tracer.close()
    found, root = kept.get_finished_spans()
    assert found.context is not None and found.parent is not None and root.context is not None
    assert found.parent.span_id == root.context.span_id
    assert (found.start_time, found.end_time) == (2_000_000_000, 3_000_000_000)
    assert dict(found.attributes or {}) == {"row_id": "r"}
    assert found.status.description == "why"
    assert [link.context.span_id for link in found.links] == [root.context.span_id]
    assert child.exemplar == {"trace_id": f"{root.context.trace_id:032x}"}
    assert found.resource.attributes["service.name"] == "featurizer"


def test_a_trace_that_its_root_left_out_stays_left_out(kept: InMemorySpanExporter) -> None:
    """It is carried on with its flags, recorded nowhere, and no histogram points to it."""
    tracer = Recorder("featurizer", kept)
    span = tracer.begin("featurize", LEFT_OUT)
    span.end()
    tracer.close()
    assert (span.recorded, span.exemplar) == (False, None)
    assert span.traceparent[:36] == LEFT_OUT[:36] and span.traceparent.endswith("-00")
    assert kept.get_finished_spans() == ()


@pytest.mark.parametrize(("ratio", "recorded"), [("0.0", False), ("1.0", True)])
def test_the_root_samples_as_the_variables_say(
    kept: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, ratio: str, recorded: bool
) -> None:
    """OTEL_TRACES_SAMPLER and its argument are the SDK's own."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
    tracer = Recorder("ingestor", kept)
    root = tracer.begin("ingest")
    assert root.recorded is tracer.begin("featurize", root.traceparent).recorded is recorded
    tracer.close()


def test_a_sampler_that_asks_no_parent_is_asked(
    kept: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With always_on also the trace of a parent that was left out is recorded."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
    tracer = Recorder("ingestor", kept)
    assert tracer.begin("featurize", LEFT_OUT).recorded
    tracer.close()


def test_the_operator_names_the_service(
    kept: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_SERVICE_NAME goes before our own name."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "desk-7")
    tracer = Recorder("ingestor", kept)
    tracer.begin("ingest").end()
    tracer.close()
    [span] = kept.get_finished_spans()
    assert span.resource.attributes["service.name"] == "desk-7"


def test_a_collector_that_is_away_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised by closing."""
    monkeypatch.setattr("plumbing.tracing.otel.CLOSE_SECONDS", 0.1)
    tracer = Recorder("ingestor", exporter(f"http://127.0.0.1:{held_port()}/v1/traces"))
    tracer.begin("ingest").end()
    tracer.close()


def test_a_collector_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing gives up while the spans still wait to be sent."""
    assert CLOSE_SECONDS <= 5
    monkeypatch.setattr("plumbing.tracing.otel.CLOSE_SECONDS", 0.1)
    stuck = Stuck()
    tracer = Recorder("ingestor", stuck)
    tracer.begin("ingest").end()
    tracer.close()
    assert not stuck.let_go.is_set() and stuck.get_finished_spans() == ()
    stuck.let_go.set()

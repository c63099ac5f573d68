"""Recorded spans by the OpenTelemetry SDK; imported only where a collector is named."""

import threading
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, ParentBasedTraceIdRatio
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from plumbing.proxies import spare
from plumbing.tracing.trace import Carried, Kind, Parts, Span, child_of, parts_of

NAMESPACE: Final = "crypto-volatility"
CLOSE_SECONDS: Final = 3.0
"""A collector that is away must not hold up the end: SIGKILL comes ten seconds after SIGTERM."""
_SAMPLED: Final = 1
_KINDS: Final[dict[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}


def exporter(endpoint: str) -> SpanExporter:
    """Return exporter to a URL; headers, certificates and times are those of the environment.

    So is the proxy, unless the collector is beside us.
    """
    spare(endpoint)
    return OTLPSpanExporter(endpoint=endpoint)


class _Recorded:
    """A span of the SDK; also one that the sampler left out, which only carries the trace on."""

    __slots__ = ("_span", "exemplar", "recorded", "traceparent")

    def __init__(self, span: SdkSpan) -> None:
        context = span.get_span_context()
        trace_id = f"{context.trace_id:032x}"
        self._span = span
        self.recorded = bool(context.trace_flags.sampled)
        self.traceparent = f"00-{trace_id}-{context.span_id:016x}-{int(context.trace_flags):02x}"
        self.exemplar = {"trace_id": trace_id} if self.recorded else None

    def tell(self, name: str, value: str | int | float) -> None:
        self._span.set_attribute(name, value)

    def link(self, other: Span) -> None:
        found = parts_of(other.traceparent)
        if found is not None:
            self._span.add_link(_context_of(found))

    def fail(self, reason: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, reason))

    def end(self, end_us: int | None = None) -> None:
        self._span.end(None if end_us is None else end_us * 1_000)


class Recorder:
    """Spans of one service, sent in batches by a thread of the SDK; what is too much is dropped.

    The sampler is that of ``OTEL_TRACES_SAMPLER``.
    """

    def __init__(self, service: str, to: SpanExporter) -> None:
        own = Resource.create({"service.name": service, "service.namespace": NAMESPACE})
        given = OTELResourceDetector().detect()  # the operator's word goes before ours
        self._provider = TracerProvider(resource=own.merge(given), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(to))
        self._tracer = self._provider.get_tracer(NAMESPACE)
        sampler = type(self._provider.sampler)
        self._parent_decides = sampler in (ParentBased, ParentBasedTraceIdRatio)

    def begin(
        self,
        name: str,
        parent: str | None = None,
        *,
        kind: Kind = "internal",
        start_us: int | None = None,
    ) -> Span:
        """Begin a span; the sampler decides whether it is recorded."""
        found = parts_of(parent)
        if found is not None and self._parent_decides and not int(found[2], 16) & _SAMPLED:
            return Carried(child_of(parent))  # as the sampler would say, at a tenth of the cost
        return _Recorded(
            self._tracer.start_span(
                name,
                context=_under(found),
                kind=_KINDS[kind],
                start_time=None if start_us is None else start_us * 1_000,
            )
        )

    def close(self) -> None:
        """Send what is left, for at most ``CLOSE_SECONDS``."""
        closing = threading.Thread(target=self._provider.shutdown, name="tracing", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _under(found: Parts | None) -> Context:
    if found is None:
        return Context()
    return set_span_in_context(NonRecordingSpan(_context_of(found)), Context())


def _context_of(found: Parts) -> SpanContext:
    trace_id, span_id, flags = (int(part, 16) for part in found)
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))

"""The tracer of a process, by its settings."""

from plumbing.logs import get_logger
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.trace import UNTRACED, Tracer


def open_tracer(service: str, settings: TraceSettings) -> Tracer:
    """Return tracer of a process; only where a collector is named it costs more than a header."""
    if not settings.wanted:
        return UNTRACED
    from plumbing.tracing.otel import Recorder, exporter

    get_logger().info("tracing.started", endpoint=settings.endpoint)
    return Recorder(service, exporter(settings.endpoint))

"""What ``/metrics`` answers, and the registry it answers from."""

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder


def new_registry() -> CollectorRegistry:
    """Make a registry that also tells of this process: CPU, memory, open files, start."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry, accept: str) -> tuple[str, bytes]:
    """Return content type and body in the format that ``accept`` asks for.

    Exemplars stand only in OpenMetrics. The ``_created`` series, one more for each child,
    are left out.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]
    encode, kind = choose_encoder(accept)
    return kind, encode(registry)

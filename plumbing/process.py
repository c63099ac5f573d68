"""What the process of a service has beside its work: logs, an end, metrics, traces, probes."""

from collections.abc import Callable, Mapping
from typing import Protocol, Self

from prometheus_client import CollectorRegistry

from plumbing.exposition import new_registry
from plumbing.logs import configure, get_logger
from plumbing.probes import Pages, Probes, no_pages
from plumbing.stop import Stop
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.tracer import open_tracer


class Listening(Protocol):
    """What is needed of a service's settings."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def log_level(self) -> str: ...


class Process:
    """Answers probes from the first moment on; ``ready`` is set once there is something to ask.

    SIGTERM and SIGINT wish for the end. ``stalled_after`` is how many seconds without ``beat``
    make the process not alive; ``pages`` are a service's own beside the probes.
    """

    def __init__(
        self,
        name: str,
        settings: Listening,
        *,
        stalled_after: float,
        registry: CollectorRegistry | None = None,
        pages: Pages = no_pages,
    ) -> None:
        configure(name, settings.log_level)
        self._name, self._settings, self.pages = name, settings, pages
        self.stop = Stop().install()
        self.registry = registry or new_registry()
        self.ready: Callable[[], Mapping[str, bool]] = lambda: {"started": False}
        self._probes = Probes(
            settings.host,
            settings.port,
            self.registry,
            lambda: self.ready(),
            stalled_after=stalled_after,
            pages=lambda path: self.pages(path),
        )
        self.beat = self._probes.beat
        self.tracer = open_tracer(name, TraceSettings())

    def __enter__(self) -> Self:
        host, port = self._settings.host, self._settings.port
        try:
            port = self._probes.start()
        except OSError as exc:
            get_logger().error("service.not_listening", host=host, port=port, reason=str(exc))
            raise SystemExit(1) from exc
        get_logger().info("service.started", host=host, port=port)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.tracer.close()
        self._probes.close()
        if kind is None:
            get_logger().info("service.stopped")

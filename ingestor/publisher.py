"""Publishing: records in order to Kafka, acknowledged, kept and tried again until they are."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Protocol

from ingestor.errors import Undelivered
from ingestor.metrics import Metrics
from plumbing.backoff import Backoff
from plumbing.logs import get_logger
from plumbing.tracing.trace import Span

STUCK_SECONDS: Final = 5.0
"""A batch that takes longer means that Kafka is not well; a healthy one takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A frame with a tick: when it was received, and the span that ends with its delivery."""

    received_us: int
    span: Span


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be sent; ``alone`` if nothing may overtake it, as with a Break.

    ``frame`` is on the first record of a frame with a tick, so that each is told once.
    """

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    frame: Traced | None = None


class Port(Protocol):
    """What is needed of a Kafka producer."""

    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> None:
        """Hand one record over; raises what it likes if it cannot."""

    def flush(self) -> None:
        """Wait for all acknowledgements; raises if one did not come."""

    def close(self) -> None:
        """Let go of the connections."""


class Publisher:
    """Delivers batches one after the other; a batch is never left behind.

    A failed batch is kept and sent again by a new producer, as the old one may be beyond
    repair; what had arrived of it comes twice, which every reader bears.
    """

    def __init__(
        self,
        open_producer: Callable[[], Port],
        backoff: Backoff,
        metrics: Metrics,
    ) -> None:
        self._open = open_producer
        self._producer: Port | None = None
        self._backoff = backoff
        self._metrics = metrics
        self._abandoned = threading.Event()
        self._failing = False
        self._since: float | None = None

    @property
    def well(self) -> bool:
        """False while a batch fails or has been on its way for too long."""
        since = self._since
        return not self._failing and (since is None or time.monotonic() - since < STUCK_SECONDS)

    def deliver(self, records: Sequence[Outgoing]) -> None:
        """Send all and wait until each is acknowledged, however often that has to be tried.

        Raises:
            Undelivered: ``abandon`` was called meanwhile; says how many records are lost.
        """
        left = [list(group) for _, group in groupby(records, key=lambda record: record.alone)]
        delays = iter(self._backoff)
        started = self._since = time.monotonic()
        while left:
            if self._tried(left[0]):
                left.pop(0)
            elif self._abandoned.wait(next(delays)):
                raise Undelivered(f"{sum(map(len, left))} records not acknowledged")
        self._failing, self._since = False, None
        self._metrics.publish_seconds.observe(time.monotonic() - started)

    def abandon(self) -> None:
        """Let the attempt under way be the last one."""
        self._abandoned.set()

    def close(self) -> None:
        """Close the producer."""
        if self._producer is not None:
            self._producer.close()

    def _tried(self, records: Sequence[Outgoing]) -> bool:
        try:
            producer = self._producer = self._producer or self._open()
            for record in records:
                producer.send(record.topic, record.key, record.value, record.headers)
            producer.flush()
        except Exception as exc:  # whatever keeps Kafka away, the batch is kept
            self._failed(exc, len(records))
            return False
        return True

    def _failed(self, exc: Exception, count: int) -> None:
        self._failing = True
        self._metrics.publish_failures.inc()
        get_logger().error("publish.failed", records=count, reason=repr(exc))
        producer, self._producer = self._producer, None
        try:
            if producer is not None:
                producer.close()
        except Exception as closing:
            get_logger().warning("publish.close_failed", reason=repr(closing))


class Courier:
    """One thread that works off calls in order; it never keeps the process from ending."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[None], Callable[[], None]]] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._run, name="courier", daemon=True).start()

    def submit(self, call: Callable[[], None]) -> Future[None]:
        """Have it called; the future tells when it is done and what it raised."""
        future: Future[None] = Future()
        self._calls.put((future, call))
        return future

    def _run(self) -> None:
        while True:
            future, call = self._calls.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                call()
            except BaseException as exc:
                future.set_exception(exc)
            else:
                future.set_result(None)

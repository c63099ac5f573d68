"""Publishing so that what is said is acknowledged: held and sent again until it is."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Protocol

from plumbing.backoff import BACKOFF, Backoff
from plumbing.kafka.producer import DeliveryError
from plumbing.logs import get_logger

HOLD_SECONDS: Final = 60.0
"""With one attempt more, for which Kafka's producer takes two minutes, it stays below the five
after which a group takes the partitions of a member that does not poll."""
STUCK_SECONDS: Final = 5.0
"""A batch that takes longer means that Kafka is not well; a healthy one takes milliseconds."""


def ignored(*_: object) -> None:
    """Take what nobody asked for."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be sent; ``alone`` if nothing may overtake it.

    ``acknowledged`` is told the wall clock, epoch microseconds, once the broker has the record.
    """

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    acknowledged: Callable[[int], object] = ignored


class Port(Protocol):
    """What is needed of a producer."""

    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> None:
        """Hand one record over; raises what it likes if it cannot."""

    def flush(self) -> None:
        """Wait for all acknowledgements; raises if one did not come."""

    def close(self) -> None:
        """Let go of the connections."""


class Outbox:
    """Delivers batches one after the other; none is left behind in silence.

    A failed batch is held and sent again by a new producer, as the old one may be beyond
    repair; what had arrived of it comes twice, which every reader bears. After ``hold_seconds``
    it is handed back by an error: whoever read its cause from a topic has not committed it.

    ``wait`` waits for so many seconds and says whether to give up; ``failed`` is called after
    each attempt that failed, ``took`` with the seconds of a delivery.
    """

    def __init__(
        self,
        open_producer: Callable[[], Port],
        wait: Callable[[float], bool],
        *,
        hold_seconds: float = HOLD_SECONDS,
        backoff: Backoff = BACKOFF,
        failed: Callable[[], object] = ignored,
        took: Callable[[float], object] = ignored,
        beat: Callable[[], object] = ignored,
        clock: Callable[[], float] = time.monotonic,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._open, self._wait, self._backoff = open_producer, wait, backoff
        self._hold_seconds, self._clock, self._now_us = hold_seconds, clock, now_us
        self._failed, self._took, self._beat = failed, took, beat
        self._producer: Port | None = None
        self._failing = False
        self._since: float | None = None

    @property
    def well(self) -> bool:
        """False while a batch fails or has been on its way for too long."""
        since = self._since
        return not self._failing and (since is None or self._clock() - since < STUCK_SECONDS)

    def deliver(self, records: Sequence[Outgoing]) -> None:
        """Send all and wait until each is acknowledged.

        Raises:
            DeliveryError: not within the time, or not before giving up; says how many are left.
        """
        started = self._since = self._clock()
        try:
            for _, group in groupby(records, key=lambda record: record.alone):
                self._persist(list(group), started + self._hold_seconds)
        finally:
            self._failing, self._since = False, None
        self._took(self._clock() - started)

    def close(self) -> None:
        """Close the producer; the next delivery opens another."""
        producer, self._producer = self._producer, None
        try:
            if producer is not None:
                producer.close()
        except Exception as exc:  # it is let go of either way
            get_logger().warning("publish.close_failed", reason=repr(exc))

    def _persist(self, records: Sequence[Outgoing], until: float) -> None:
        for delay in self._backoff:
            failure = self._attempt(records)
            if failure is None:
                break
            if self._clock() + delay > until or self._wait(delay):
                raise DeliveryError(f"{len(records)} records not acknowledged: {failure!r}")
        now_us = self._now_us()
        for record in records:
            record.acknowledged(now_us)

    def _attempt(self, records: Sequence[Outgoing]) -> Exception | None:
        try:
            producer = self._producer = self._producer or self._open()
            for record in records:
                producer.send(record.topic, record.key, record.value, record.headers)
            producer.flush()
        except Exception as exc:  # whatever keeps Kafka away, the batch is held
            self._failing = True
            self._failed()
            get_logger().error("publish.failed", records=len(records), reason=repr(exc))
            self.close()
            self._beat()
            return exc
        return None

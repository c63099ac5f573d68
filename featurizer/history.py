"""Reads back from Kafka what a partition's state is made of, as far as the cores ask for."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Need
from featurizer.level.records import Bin, Day, Minute, decode_level, decode_minute
from featurizer.level.tail import Kept, Tail
from featurizer.rebuild import FURTHEST_MS, Logged, ReadBack, needs_of, restore
from featurizer.span import Span
from ingestor.tick import decode
from ingestor.topics import DAY_MS, LEVELS, MINUTES, TICKS
from plumbing.kafka import KafkaSettings, Partition, PassedOver, Reader, Record

Clock = Callable[[], float]
POLL_SECONDS = 0.2
MINUTES_FURTHEST_MS: Final = 2 * FURTHEST_MS
"""An hour of minutes before the last tick, which itself may be two hours old."""
LEVELS_FURTHEST_MS: Final = 9 * DAY_MS
"""Seven UTC days before today, and a day for those that ended while nothing came."""

C = TypeVar("C", Minute, Bin | Day)


class DeadlineError(TimeoutError):
    """Reading back took too long; the text says how far it came."""


class History(Protocol):
    """What was written before: to ``ticks``, and by the featurizer itself."""

    def beginning(self, partition: Partition) -> int:
        """Return the first offset still kept."""

    def end(self, partition: Partition) -> int:
        """Return the offset that the next record will have."""

    def read(self, partition: Partition, span: Span, deadline: float) -> Sequence[Record]:
        """Return the records of a span in order; raises ``DeadlineError``."""

    def close(self) -> None:
        """Let go of the broker."""


class KafkaHistory:
    """A reader outside of the group, so that the group's positions stay as they are."""

    def __init__(self, settings: KafkaSettings, clock: Clock = time.monotonic) -> None:
        self._reader = Reader(settings, [TICKS.name, MINUTES.name, LEVELS.name])
        self._beginnings, self._ends = self._reader.beginnings(), self._reader.ends()
        self._clock = clock

    def beginning(self, partition: Partition) -> int:
        """Return the first offset still kept."""
        return self._beginnings[partition]

    def end(self, partition: Partition) -> int:
        """Return the offset that the next record had when the history was opened."""
        return self._ends[partition]

    def read(self, partition: Partition, span: Span, deadline: float) -> Sequence[Record]:
        """Return the records of a span in order; none of the topics has holes in its offsets.

        Raises:
            DeadlineError: the clock passed ``deadline`` before the last offset was seen.
        """
        self._reader.assign([partition])
        self._reader.seek(partition, span.first)
        found: list[Record] = []
        while not found or found[-1].offset < span.end - 1:
            if self._clock() > deadline:
                seen = found[-1].offset if found else "none"
                raise DeadlineError(f"expected offsets up to {span.end - 1}, last seen {seen}")
            found += self._reader.poll(POLL_SECONDS)
        return [record for record in found if record.offset < span.end]

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What reading back one partition gave; ``shortfall`` says why it ended early, if it did."""

    products: frozenset[str]
    records: int
    seconds: float
    shortfall: str | None


class _Rebuilding:
    """Reads back one partition; what cannot be read in time is left out, and ``shortfall`` says so.

    What has no message is passed over: it went to dead-letters when it was met first.
    """

    def __init__(self, history: History, number: int, deadline: float) -> None:
        self._history, self._number, self._deadline = history, number, deadline
        self._passed = PassedOver("featurizer, reading back")
        self.shortfall: str | None = None

    def ticks(self, back: ReadBack) -> None:
        """Read the ticks that are wanted.

        Raises:
            DeadlineError: not even the newest could be read.
        """
        partition, chunks = Partition(TICKS.name, self._number), 0
        while back.wanted is not None and self.shortfall is None:
            try:
                records = self._history.read(partition, back.wanted, self._deadline)
            except DeadlineError as exc:
                if not back.products and not chunks:
                    raise
                missing = ", ".join(back.unsettled) or "the span"
                self.shortfall = f"{exc}; not yet certain of {missing}"
            else:
                read = self._passed.read(records, decode)
                back.take([Logged(r.timestamp_ms, e) for r, e in read])
                chunks += 1

    def tail(self, topic: str, furthest_ms: int) -> Tail[C]:
        """Return what decides how far a topic of closed stretches is read."""
        partition = Partition(topic, self._number)
        ends = self._history.beginning(partition), self._history.end(partition)
        return Tail(*ends, furthest_ms)

    def closed(self, topic: str, tail: Tail[C], decode: Callable[[bytes], C]) -> None:
        """Read the closed stretches that are wanted."""
        partition = Partition(topic, self._number)
        while tail.wanted is not None and self.shortfall is None:
            try:
                records = self._history.read(partition, tail.wanted, self._deadline)
            except DeadlineError as exc:
                self.shortfall = f"{topic}: {exc}; levels stand on what was read"
            else:
                read = self._passed.read(records, decode)
                tail.take([Kept(r.timestamp_ms, message) for r, message in read])


def rebuild(
    engine: FeatureEngine,
    history: History,
    partition: Partition,
    position: int,
    deadline: float,
    clock: Clock = time.monotonic,
) -> Rebuilt:
    """Bring the engine to the state it had when ``position`` was reached, publishing nothing.

    Raises:
        DeadlineError: not even the newest records before ``position`` could be read:
            rows from an empty state would be wrong, so the caller must begin anew.
    """
    began, reading = clock(), _Rebuilding(history, partition.number, deadline)
    back = ReadBack(history.beginning(partition), position)
    reading.ticks(back)
    minutes: Tail[Minute] = reading.tail(MINUTES.name, MINUTES_FURTHEST_MS)
    if back.products:
        reading.closed(MINUTES.name, minutes, decode_minute)
        back.expect(minutes.recent(back.newest_ms - FURTHEST_MS))
        reading.ticks(back)
    restored = restore(engine, back.events())
    if needs := needs_of(engine, back):
        _resume(engine, reading, minutes, needs)
    return Rebuilt(back.products, restored, clock() - began, reading.shortfall)


def _resume(
    engine: FeatureEngine, reading: _Rebuilding, minutes: Tail[Minute], needs: Mapping[str, Need]
) -> None:
    """Complete the levels by what was published of the minutes, bins and days before."""
    minutes.need({product: (need, need.minute_us) for product, need in needs.items()})
    reading.closed(MINUTES.name, minutes, decode_minute)
    levels: Tail[Bin | Day] = reading.tail(LEVELS.name, LEVELS_FURTHEST_MS)
    levels.need({product: (need, need.day_us) for product, need in needs.items()})
    reading.closed(LEVELS.name, levels, decode_level)
    engine.levels.resume(needs, [*minutes.records(), *levels.records()])

"""Reads a partition of ``ticks`` back from Kafka, as far as ``rebuild`` asks for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from featurizer.features import FeatureEngine
from featurizer.rebuild import Logged, ReadBack, Span, restore
from ingestor.tick import decode
from ingestor.topics import TICKS
from plumbing.kafka import KafkaSettings, Partition, PassedOver, Reader, Record

Clock = Callable[[], float]
POLL_SECONDS = 0.2


class DeadlineError(TimeoutError):
    """Reading back took too long; the text says how far it came."""


class History(Protocol):
    """What was written to the partitions of ``ticks`` before."""

    def beginning(self, partition: Partition) -> int:
        """Return the first offset still kept."""

    def read(self, partition: Partition, span: Span, deadline: float) -> Sequence[Record]:
        """Return the records of a span in order; raises ``DeadlineError``."""

    def close(self) -> None:
        """Let go of the broker."""


class KafkaHistory:
    """A reader outside of the group, so that the group's positions stay as they are."""

    def __init__(self, settings: KafkaSettings, clock: Clock = time.monotonic) -> None:
        self._reader = Reader(settings, [TICKS.name])
        self._beginnings = self._reader.beginnings()
        self._clock = clock

    def beginning(self, partition: Partition) -> int:
        """Return the first offset still kept."""
        return self._beginnings[partition]

    def read(self, partition: Partition, span: Span, deadline: float) -> Sequence[Record]:
        """Return the records of a span in order; ``ticks`` has no holes in its offsets.

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
    began = clock()
    back = ReadBack(history.beginning(partition), position)
    shortfall, chunks, passed = None, 0, PassedOver("featurizer, reading back")
    while back.wanted is not None and shortfall is None:
        try:
            records = history.read(partition, back.wanted, deadline)
        except DeadlineError as exc:
            if not chunks:
                raise
            shortfall = f"{exc}; not yet certain of {', '.join(back.unsettled) or 'the span'}"
        else:
            # What has no message went to dead-letters when it was met first.
            back.take([Logged(r.timestamp_ms, e) for r, e in passed.read(records, decode)])
            chunks += 1
    return Rebuilt(back.products, restore(engine, back.events()), clock() - began, shortfall)

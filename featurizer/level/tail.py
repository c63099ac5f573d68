"""How far back the topics of closed stretches are read: from their end to what is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from featurizer.level.levels import Need
from featurizer.level.records import Bin, Closed, Day, Minute
from featurizer.span import Span

CHUNK: Final = 4_096
LARGEST_CHUNK: Final = 65_536

C = TypeVar("C", Minute, Bin | Day)


@dataclass(frozen=True, slots=True)
class Kept(Generic[C]):
    """A record as it stands in the log; ``appended_ms`` is the broker's clock."""

    appended_ms: int
    record: C


class Tail(Generic[C]):
    """Decides what to read of one partition backwards, in growing chunks.

    The first chunk is read in any case; more of it once ``need`` was told, until of each product
    a record is met that is older than all that count, or the first of its run. Whatever was
    published twice stands once more in its order, so all later ones have been seen by then.
    What is further back than ``furthest_ms`` on the broker's clock is not looked for.
    """

    def __init__(self, beginning: int, end: int, furthest_ms: int, chunk: int = CHUNK) -> None:
        self._beginning, self._furthest_ms, self._chunk = beginning, furthest_ms, chunk
        self._needs: dict[str, tuple[Need, int]] = {}
        self._newest_ms = self._oldest_ms = 0
        self._first = end
        self.read: list[Kept[C]] = []
        self.wanted: Span | None = None
        self._want()

    def take(self, records: Sequence[Kept[C]]) -> None:
        """Take the readable records of the ``wanted`` span, oldest first, and decide anew."""
        if self.wanted is None:
            raise ValueError("expected no more records: enough was read")
        self._first = self.wanted.first
        if records:
            self._newest_ms = self._newest_ms or records[-1].appended_ms
            self._oldest_ms = records[0].appended_ms
        self.read += reversed(records)
        self._meet(records)
        self._decide()

    def need(self, needs: Mapping[str, tuple[Need, int]]) -> None:
        """Say what is needed of each product, and where its oldest stretch begins (µs)."""
        self._needs = dict(needs)
        self._meet(self.read[::-1])
        self._decide()

    def recent(self, since_ms: int) -> frozenset[str]:
        """Return the products of records that were appended since then."""
        return frozenset(k.record.product_id for k in self.read if k.appended_ms >= since_ms)

    def records(self) -> list[C]:
        """Return all that was read, newest first."""
        return [kept.record for kept in self.read]

    def _meet(self, records: Sequence[Kept[C]]) -> None:
        for kept in records:
            record = kept.record
            if record.product_id in self._needs and _ends(record, *self._needs[record.product_id]):
                del self._needs[record.product_id]

    def _decide(self) -> None:
        over = self._newest_ms - self._oldest_ms > self._furthest_ms
        self.wanted = None
        if self._needs and not over:
            self._want()

    def _want(self) -> None:
        first = max(self._beginning, self._first - self._chunk)
        self.wanted = Span(first, self._first) if first < self._first else None
        self._chunk = min(2 * self._chunk, LARGEST_CHUNK)


def _ends(record: Closed, need: Need, oldest_us: int) -> bool:
    """Say whether nothing before this record can be needed.

    A day says nothing: it closes with its last bin, and those of the day stand before it.
    """
    if isinstance(record, Day):
        return False
    known = record.feed == need.feed and record.run_us <= need.first_us
    return known and record.start_us <= max(oldest_us, record.run_us)

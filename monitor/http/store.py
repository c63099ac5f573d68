"""Pages of ``predictions`` out of the topics, newest first, within bounds of records and time."""

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from ingestor.topics import OUTCOMES, PREDICTIONS
from monitor import outcome as outcomes
from monitor.http.board import Board, Shown
from monitor.http.spans import Spans
from monitor.outcome import Outcome
from monitor.reading import PAST_MS, LogReader, Reopened, backwards, first_since, read
from plumbing.kafka import Partition, PassedOver, Record, TopicChanged
from scorer import prediction as predictions
from scorer.prediction import Prediction

CHUNK: Final = 1_000


class QueryError(Exception):
    """A query cannot be answered as it stands."""


class BadCursor(QueryError):
    """The cursor is none of ours, or belongs to another query."""


class Busy(QueryError):
    """Too many queries at once."""


@dataclass(frozen=True, slots=True)
class Query:
    """Event times ``from_us`` ≤ t ≤ ``to_us`` (epoch microseconds, None: open), newest first."""

    product_id: str
    from_us: int | None = None
    to_us: int | None = None
    limit: int = 100
    cursor: str | None = None

    def matches(self, prediction: Prediction) -> bool:
        """Return whether a prediction belongs to the answer."""
        return (
            prediction.product_id == self.product_id
            and (self.from_us is None or prediction.time_us >= self.from_us)
            and (self.to_us is None or prediction.time_us <= self.to_us)
        )

    @property
    def mark(self) -> str:
        """Names the query in its cursors."""
        return f"{zlib.crc32(repr((self.product_id, self.from_us, self.to_us)).encode()):08x}"


@dataclass(frozen=True, slots=True)
class Found:
    """A prediction, and its outcome where it has matured."""

    prediction: Prediction
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page; ``next`` continues it, also where a bound ended it before it was full.

    ``outcomes_complete`` is False where the bounds left outcomes unsearched.
    """

    items: list[Found]
    next: str | None
    scanned: int
    outcomes_complete: bool = True


class Store(Protocol):
    """What the HTTP side asks for pages."""

    def page(self, query: Query) -> Page: ...
    def close(self) -> None: ...


class TopicStore:
    """Reads pages straight from the topics; one query at a time, from any thread.

    A page reads at most ``scan_records`` records and ``scan_seconds`` seconds for predictions,
    and as much again for outcomes that are not in memory.
    """

    def __init__(
        self,
        reader: Reopened,
        board: Board,
        *,
        scan_records: int = 20_000,
        scan_seconds: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held, self._board, self._clock = reader, board, clock
        self._records, self._seconds = scan_records, scan_seconds
        self._passed = PassedOver("monitor, answering")

    def page(self, query: Query) -> Page:
        """Return one page.

        Raises:
            BadCursor: the cursor does not belong to this query.
            Busy: other queries or the broker took too long.
        """
        latest = self._board.latest(query.product_id)
        if latest is None:
            return Page([], None, 0)
        partition = Partition(PREDICTIONS.name, latest.partition)
        before = None if query.cursor is None else offset_of(query, partition)
        try:
            with self._held as reader:
                return self._page(reader, query, partition, before)
        except (TimeoutError, TopicChanged) as exc:
            raise Busy(str(exc)) from exc

    def close(self) -> None:
        """Close the connection."""
        self._held.close()

    def _page(
        self, reader: LogReader, query: Query, partition: Partition, before: int | None
    ) -> Page:
        begin, end = reader.beginnings()[partition], reader.ends()[partition]
        end = end if before is None else min(end, before)
        spans = Spans(reader, partition, lambda r: self._passed.message(r, predictions.decode))
        records = (
            record
            for low, high in spans.newest_first(begin, end, query.from_us, query.to_us)
            for record in backwards(reader, partition, low, high, CHUNK)
        )
        found, at, scanned = self._scan(records, query)
        told = _Outcomes(self, reader, found)
        items = [Found(shown.prediction, told.of(shown.prediction)) for _, shown in found]
        at = begin if at is None else at
        following = f"{partition.number}.{at}.{query.mark}" if at > begin else None
        return Page(items, following, scanned, told.complete)

    def _scan(
        self, records: Iterator[Record], query: Query
    ) -> tuple[list[tuple[Record, Shown]], int | None, int]:
        """Return what was found, where a bound ended the scan (None: beginning), its size."""
        until = self._clock() + self._seconds
        found: list[tuple[Record, Shown]] = []
        scanned = 0
        for record in records:
            scanned += 1
            made = self._passed.message(record, predictions.decode)
            if made is not None and query.matches(made):
                found.append(
                    (record, Shown(made, record.value, record.partition, record.timestamp_ms))
                )
            if len(found) >= query.limit or self.spent(scanned, until):
                return found, record.offset, scanned
        return found, None, scanned

    def spent(self, scanned: int, until: float) -> bool:
        """Return whether a bound is reached; the clock is looked at once in a chunk."""
        return scanned >= self._records or (scanned % CHUNK == 0 and self._clock() >= until)

    def recent(self, prediction_id: str) -> tuple[Outcome | None, bool]:
        """Return an outcome from memory, and whether it may stand in the topic if not."""
        outcome = self._board.outcome(prediction_id)
        return outcome, outcome is None and not self._board.waits(prediction_id)

    def outcomes_after(
        self, reader: LogReader, number: int, timestamp_ms: int
    ) -> Iterator[Outcome | None]:
        """Return outcomes appended since then, in order; None at last if a bound was reached."""
        partition = Partition(OUTCOMES.name, number)
        begin = reader.beginnings().get(partition, 0)
        end = reader.ends().get(partition, 0)
        start = first_since(reader, partition, begin, end, timestamp_ms)
        until, scanned = self._clock() + self._seconds, 0
        while start < end:
            for record in read(reader, partition, start, min(end, start + CHUNK)):
                scanned += 1
                outcome = self._passed.message(record, outcomes.decode)
                if outcome is not None:
                    yield outcome
            start += CHUNK
            if start < end and self.spent(scanned, until):
                yield None
                return


class _Outcomes:
    """The outcomes of one page: from memory, else from the topic."""

    def __init__(
        self, store: TopicStore, reader: LogReader, found: list[tuple[Record, Shown]]
    ) -> None:
        self.complete = True
        self._known: dict[str, Outcome | None] = {}
        missing: dict[str, Record] = {}
        for record, shown in found:
            name = shown.prediction.prediction_id
            self._known[name], elsewhere = store.recent(name)
            if elsewhere:
                missing[name] = record
        if missing:
            oldest_ms = min(record.timestamp_ms for record in missing.values()) - PAST_MS
            number = found[0][0].partition
            self._search(set(missing), store.outcomes_after(reader, number, oldest_ms))

    def of(self, prediction: Prediction) -> Outcome | None:
        return self._known[prediction.prediction_id]

    def _search(self, missing: set[str], told: Iterator[Outcome | None]) -> None:
        for outcome in told:
            if outcome is None:
                self.complete = False
            elif outcome.prediction_id in missing:
                self._known[outcome.prediction_id] = outcome
                missing.discard(outcome.prediction_id)
                if not missing:
                    return


def offset_of(query: Query, partition: Partition) -> int:
    """Read the cursor of a query; raises ``BadCursor``."""
    number, _, rest = (query.cursor or "").partition(".")
    offset, _, mark = rest.partition(".")
    if not (number.isdecimal() and offset.isdecimal()):
        raise BadCursor(f"cursor: found {query.cursor!r}, expected the `next` of an earlier page")
    if mark != query.mark or int(number) != partition.number:
        raise BadCursor("cursor: found that of another query, expected the same product, from, to")
    return int(offset)

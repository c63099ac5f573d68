"""The past of the page after a restart: courses made anew of what stands in the topics.

Predictions are taken in their order through machines that go on from the records of `signals`, so
that a closed step is what it was before.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from ingestor.tick import Break
from ingestor.topics import PREDICTIONS, SIGNALS, TICKS
from monitor.http.board import shown_in
from monitor.page.live import Live
from monitor.reading import CHUNK, LogReader, backwards, events_of, first_since, of_topic, read
from monitor.states.lookup import usable
from monitor.states.machines import Machines
from plumbing.kafka import Partition, PassedOver, Record
from scorer.prediction import Prediction
from signals.records import decode
from signals.row import Budget

SPANS: Final = (3_600, 86_400)
"""Seconds of the broker's time: first what the hour's chart shows, then the day's."""
PATIENCE_SECONDS: Final = 600.0
"""So long all of it may take; what is not read by then is left out."""
MOST: Final = 1_000_000
"""At most so many predictions are read of each partition: a day at 11 rows a second."""
BEFORE_MS: Final = 180_000
"""Reading begins so long before the span, for the machines."""
RECORD_MS: Final = 120_000
"""Within this time each living product has a record of its state."""
HOLES: Final = 200

Ends = Mapping[Partition, int]


class Stopped(Exception):
    """The process ends, or reading back took too long."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A Break before a row: somewhere between two event times, appended before ``at_ms``."""

    product_id: str
    feed: str
    from_us: int
    to_us: int
    at_ms: int

    def is_of(self, event: object) -> bool:
        """Say whether an event is its Break."""
        return isinstance(event, Break) and self._mine(event) and event.time_us >= self.from_us

    def _mine(self, event: Break) -> bool:
        named = (event.product_id, event.feed) == (self.product_id, self.feed)
        return named and event.time_us <= self.to_us


@dataclass(slots=True)
class Past:
    """What was read back: ``live`` holds the courses, ``breaks`` are oldest first."""

    live: Live = field(default_factory=Live)
    breaks: list[Break] = field(default_factory=list)
    rows: int = 0
    _newest: dict[str, Prediction] = field(default_factory=dict)
    _holes: deque[Hole] = field(default_factory=lambda: deque(maxlen=HOLES))

    def take(self, record: Record, prediction: Prediction, machines: Machines) -> None:
        """Take the next row of its partition."""
        machines.take(prediction, record.offset, record.partition)
        self.live.take([prediction], machines.standing_of(prediction.product_id))
        self.rows += 1
        last = self._newest.get(prediction.product_id)
        self._newest[prediction.product_id] = prediction
        if prediction.after_break and last is not None and last.feed == prediction.feed:
            named = prediction.product_id, prediction.feed, last.time_us, prediction.time_us
            self._holes.append(Hole(*named, record.timestamp_ms))

    @property
    def holes(self) -> list[Hole]:
        """Return the last holes, oldest first."""
        return list(self._holes)


class Patience:
    """Ends reading when it is told to, and leaves half of the time to the others."""

    def __init__(
        self,
        stopped: Callable[[], bool] = bool,
        seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._stopped, self._clock, self._sleep = stopped, clock, sleep
        self._until, self._began = clock() + seconds, clock()

    def rest(self) -> None:
        """Sleep for as long as was worked since the last rest.

        Raises:
            Stopped: it is over.
        """
        now = self._clock()
        if self._stopped() or now > self._until:
            raise Stopped
        self._sleep(min(1.0, now - self._began))
        self._began = self._clock()


def past_of(reader: LogReader, budget: Budget, seconds: int, patience: Patience) -> Past:
    """Read back the rows of so many seconds of the broker's time, and the Breaks between them.

    Raises:
        Stopped: patience was over before the end.
        TimeoutError: the broker gave nothing of a range.
    """
    past, beginnings, ends = Past(), reader.beginnings(), reader.ends()
    for partition in of_topic(reader.partitions(), PREDICTIONS.name):
        begin, end = beginnings[partition], ends[partition]
        newest = next(backwards(reader, partition, begin, end), None)
        if newest is None:
            continue
        since_ms = newest.timestamp_ms - 1_000 * seconds - BEFORE_MS
        at = first_since(reader, partition, max(begin, end - MOST), end, since_ms)
        machines = Machines(budget)
        if at > begin:
            _resume(machines, reader, partition, at, ends)
        for record, prediction in _rows(reader, partition, at, end, patience):
            past.take(record, prediction, machines)
    past.breaks = _breaks(reader, past.holes, beginnings, ends, patience)
    return past


def _rows(
    reader: LogReader, partition: Partition, begin: int, end: int, patience: Patience
) -> Iterator[tuple[Record, Prediction]]:
    passed = PassedOver("monitor, the page's past")
    for start in range(begin, end, CHUNK // 4):
        records = read(reader, partition, start, min(end, start + CHUNK // 4))
        for record, shown in shown_in(records, passed):
            yield record, shown.prediction
        patience.rest()


def _resume(
    machines: Machines, reader: LogReader, partition: Partition, at: int, ends: Ends
) -> None:
    """Let machines go on from the records that were the newest soon after a position."""
    signals = Partition(SIGNALS.name, partition.number)
    first = read(reader, partition, at, at + 1)
    if signals not in ends or not first:
        return
    begin, passed = reader.beginnings()[signals], PassedOver("monitor, the page's past")
    stop = first_since(reader, signals, begin, ends[signals], first[0].timestamp_ms + RECORD_MS)
    met = islice(backwards(reader, signals, begin, stop), CHUNK)
    told = [(told.product_id, (record, told)) for record, told in passed.read(met, decode)]
    machines.resume(usable(list(dict(reversed(told)).values()), [partition], ends))


def _breaks(
    reader: LogReader, holes: list[Hole], beginnings: Ends, ends: Ends, patience: Patience
) -> list[Break]:
    """Find the Breaks of holes, the newest first, as far as patience reaches."""
    found: list[Break] = []
    try:
        for hole in reversed(holes):
            found += _break_of(reader, hole, beginnings, ends)
            patience.rest()
    except Stopped:
        pass
    return found[::-1]


def _break_of(reader: LogReader, hole: Hole, beginnings: Ends, ends: Ends) -> list[Break]:
    for partition in of_topic(reader.partitions(), TICKS.name):
        begin, end = beginnings[partition], ends[partition]
        stop = first_since(reader, partition, begin, end, hole.at_ms + 1)
        near = islice(backwards(reader, partition, begin, stop), CHUNK)
        for _, event in events_of(near):
            if isinstance(event, Break) and hole.is_of(event):
                return [event]
    return []

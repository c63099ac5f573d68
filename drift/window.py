"""The last window of rows, scores and labels, out of the ends of three topics.

The topics are read backwards and known by content: the newest row of a product says its feed
and its time, and its window is the ``WINDOW_SECONDS`` of event time before. One row a minute
is kept, the last of its minute and so the last of its second, as training counts them. Of what a
model in units of τ sees a day is kept beside it, which the next reading goes on with.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from drift.comparison import COMPARED, SCORE, STEP_SECONDS, WINDOW_SECONDS, Values
from drift.day import FOUNDED, Day
from featurizer import row as feature_row
from featurizer.row import FeatureRow
from featurizer.slots import MICROSECONDS
from ingestor.topics import FEATURES, OUTCOMES, PREDICTIONS
from monitor import outcome as outcomes
from monitor.outcome import Outcome
from monitor.reading import CHUNK, LogReader, backwards
from plumbing.kafka import Partition, PassedOver, Record
from scorer import prediction as predictions
from scorer.prediction import Prediction

FULL_COVERAGE: Final = 1.0
"""The reference holds rows with all of their 300 s known, so the window does too."""
BEYOND: Final = 200
"""So many records in a row from before the window: the others are older too."""
LEAST_LABELS: Final = 600
"""Fewer labelled seconds than ten minutes of them say nothing about prevalence; they count under
an established level alone: under a seed a share says how today compares with some other days."""


class _Timed(Protocol):
    """What messages of all three topics have."""

    @property
    def feed(self) -> str: ...
    @property
    def product_id(self) -> str: ...
    @property
    def time_us(self) -> int: ...


@dataclass(slots=True)
class Window:
    """One product's window, ending with its newest row at ``end_us`` (event time) of ``feed``.

    ``appended_ms`` is when the broker took that row. ``rows`` are by minute, ``scored`` by
    ``row_id``, ``labels`` by second, of those under an established level. ``day`` is longer.
    """

    product: str
    feed: str
    end_us: int
    appended_ms: int
    day: Day
    rows: dict[int, FeatureRow] = field(default_factory=dict)
    scored: dict[str, Prediction] = field(default_factory=dict)
    labels: dict[int, bool] = field(default_factory=dict)

    @property
    def start_us(self) -> int:
        """The first microsecond of the window."""
        return self.end_us - WINDOW_SECONDS * MICROSECONDS + 1

    def has(self, found: _Timed) -> bool:
        """Return whether a message belongs to it by feed and time."""
        return found.feed == self.feed and self.start_us <= found.time_us <= self.end_us

    def reach(self, row: FeatureRow) -> None:
        """Move the end on to a later row: the last ones in the topic may be repeats."""
        if row.feed == self.feed and row.time_us > self.end_us:
            self.end_us = row.time_us
            self.rows = {m: kept for m, kept in self.rows.items() if self.has(kept)}

    def keep(self, row: FeatureRow) -> None:
        """Take a row if it is the last of its minute so far."""
        minute = _minute_of(row.time_us)
        kept = self.rows.get(minute)
        if kept is None or (kept.time_us, kept.trade_id) < (row.time_us, row.trade_id):
            self.rows[minute] = row

    @property
    def newest(self) -> Prediction | None:
        """The newest row's prediction, which names the model that serves; None without any."""
        found = [self.scored[row.row_id] for row in self._in_order() if row.row_id in self.scored]
        return found[-1] if found else None

    def columns(self, digest: str) -> dict[str, Values]:
        """Return features and score column by column; scores of other models are unknown."""
        rows = self._in_order()
        columns: dict[str, Values] = {n: [row.features[n] for row in rows] for n in COMPARED}
        return columns | {SCORE: [self._score(row, digest) for row in rows]}

    @property
    def prevalence(self) -> float | None:
        """Share of spikes among the seconds of ``labels``, None where there are too few."""
        if len(self.labels) < LEAST_LABELS:
            return None
        return sum(self.labels.values()) / len(self.labels)

    def is_founded(self, found: Outcome) -> bool:
        """Return whether it was judged by a level that was established then.

        A level changes with its bin of ten minutes, so a row tells of all its minute.
        """
        row = self.rows.get(_minute_of(found.time_us))
        return row is not None and row.tau_status == FOUNDED and row.tau == found.tau

    def _in_order(self) -> list[FeatureRow]:
        return [self.rows[minute] for minute in sorted(self.rows)]

    def _score(self, row: FeatureRow, digest: str) -> float | None:
        scored = self.scored.get(row.row_id)
        return scored.score if scored is not None and scored.digest == digest else None


@dataclass(frozen=True, slots=True)
class Bounds:
    """At most so many records of each topic are read for all windows together."""

    records: int = 400_000


def read_windows(
    reader: LogReader, bounds: Bounds, days: Mapping[str, Day] | None = None
) -> dict[str, Window]:
    """Read the last window of each product from ``features``, ``predictions`` and ``outcomes``.

    A topic that is longer than the bounds gives a shorter window, never an older one. ``days`` of
    the reading before are gone on with.
    """
    windows: dict[str, Window] = {}
    _each(reader, FEATURES.name, bounds, lambda records: _rows(windows, days or {}, records))
    for window in windows.values():
        window.day.close()
    _each(reader, PREDICTIONS.name, bounds, lambda records: _scores(windows, records))
    _each(reader, OUTCOMES.name, bounds, lambda records: _labels(windows, records))
    return windows


def _each(
    reader: LogReader, topic: str, bounds: Bounds, take: Callable[[Iterator[Record]], None]
) -> None:
    """Read the partitions that hold anything, an equal share of the bounds each."""
    begins, ends = reader.beginnings(), reader.ends()
    filled = [p for p in reader.partitions() if p.topic == topic and ends[p] > begins[p]]
    for partition in filled:
        share = max(CHUNK, bounds.records // len(filled))
        take(_newest(reader, partition, begins[partition], ends[partition], share))


def _newest(
    reader: LogReader, partition: Partition, begin: int, end: int, share: int
) -> Iterator[Record]:
    return backwards(reader, partition, max(begin, end - share), end)


@dataclass(slots=True)
class _Past:
    """Notes how long each product has been out of its window: then no older record is in it."""

    beyond: dict[str, int] = field(default_factory=dict)

    def note(self, product: str, inside: bool) -> None:
        self.beyond[product] = 0 if inside else self.beyond.get(product, 0) + 1

    @property
    def over(self) -> bool:
        return bool(self.beyond) and min(self.beyond.values()) >= BEYOND


def _rows(windows: dict[str, Window], days: Mapping[str, Day], records: Iterable[Record]) -> None:
    past = _Past()
    for record, row in PassedOver("drift").read(records, feature_row.decode):
        name = row.product_id
        if name not in windows:
            day = _day_of(days.get(name), row)
            windows[name] = Window(name, row.feed, row.time_us, record.timestamp_ms, day)
        window = windows[name]
        window.reach(row)
        inside = window.has(row)
        if inside and row.coverage >= FULL_COVERAGE:
            window.keep(row)
        window.day.take(row)
        past.note(name, inside or window.day.wants(row))
        if past.over:
            return


def _day_of(standing: Day | None, row: FeatureRow) -> Day:
    """Return the day that a product's newest row goes on with; another feed begins its own."""
    if standing is None or standing.feed != row.feed:
        return Day(row.feed, row.time_us)
    return standing


def _scores(windows: Mapping[str, Window], records: Iterable[Record]) -> None:
    past = _Past()
    wanted = {row.row_id: w for w in windows.values() for row in w.rows.values()}
    for _, found in PassedOver("drift").read(records, predictions.decode):
        if found.product_id not in windows:
            continue
        if found.row_id in wanted:
            wanted[found.row_id].scored.setdefault(found.row_id, found)
        past.note(found.product_id, _at_or_after(windows[found.product_id], found))
        if past.over:
            return


def _labels(windows: Mapping[str, Window], records: Iterable[Record]) -> None:
    past = _Past()
    for _, found in PassedOver("drift").read(records, outcomes.decode):
        if found.product_id not in windows:
            continue
        window = windows[found.product_id]
        if window.has(found) and _counts(found) and window.is_founded(found):
            window.labels.setdefault(found.time_us // MICROSECONDS, bool(found.label))
        past.note(found.product_id, _at_or_after(window, found))
        if past.over:
            return


def _minute_of(time_us: int) -> int:
    return time_us // MICROSECONDS // STEP_SECONDS


def _at_or_after(window: Window, found: _Timed) -> bool:
    """Rows that came since the features were read are newer than the window, not past it."""
    return found.feed == window.feed and found.time_us >= window.start_us


def _counts(found: Outcome) -> bool:
    """Return whether training would count such a row: labelled, whole, the last of its second."""
    return found.label is not None and found.last_of_second and found.coverage >= FULL_COVERAGE

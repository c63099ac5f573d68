"""Predictions meet what happened next: the join of ``predictions`` with ``ticks``.

What a row's label is follows from the ticks alone and is fixed in their order, at the event
that completes its horizon. A prediction only looks it up, before or after, so that the
outcome cannot depend on how the two topics interleave.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from featurizer.engine import gives_row
from featurizer.labels import HORIZON, MidLog
from featurizer.row import Key, key_of
from featurizer.slots import MICROSECONDS, Taken
from ingestor.tick import Beat, Event, Tick
from monitor.outcome import Outcome, Unlabelled
from scorer.prediction import Prediction

KEPT_RUNS: Final = 3
"""A product's present run of a feed, and how many replaced ones are still remembered."""
LOG_SECONDS: Final = 256
"""Seconds of quotes held for labels; a row waits for 61 of them at most."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What became of one row, whoever predicts it.

    ``matured_us`` is event time; ``received_us`` the wall clock of the event that completed it.
    """

    volatility: float | None
    matured_us: int
    received_us: int
    reason: Unlabelled | None
    last_of_second: bool


@dataclass(frozen=True, slots=True)
class Matured:
    """A prediction with its outcome; it could be told from ``possible_us`` (wall clock) on."""

    prediction: Prediction
    outcome: Outcome
    possible_us: int


@dataclass(frozen=True, slots=True)
class JoinResult:
    """What became of a prediction that was handed in."""

    repeated: bool
    matured: Matured | None = None


@dataclass(slots=True)
class _PendingRow:
    mid: float
    waiting: list[Prediction] = field(default_factory=list)
    truth: GroundTruth | None = None
    told: tuple[str, ...] = ()

    def add(self, prediction: Prediction) -> JoinResult:
        name = prediction.prediction_id
        if name in self.told or any(p.prediction_id == name for p in self.waiting):
            return JoinResult(repeated=True)
        if self.truth is None:
            self.waiting.append(prediction)
            return JoinResult(repeated=False)
        self.told += (name,)
        return JoinResult(repeated=False, matured=_matured(prediction, self.truth))

    def settle(self, truth: GroundTruth) -> Iterator[Matured]:
        self.truth = truth
        for prediction in self.waiting:
            self.told += (prediction.prediction_id,)
            yield _matured(prediction, truth)
        self.waiting = []


class _FeedRun:
    """One product's rows of one feed, from its begin to the event of another feed."""

    __slots__ = ("_history", "_log", "_unsettled", "feed", "last_us", "newest", "rows")

    def __init__(self, feed: str, history: int) -> None:
        self.feed = feed
        self.rows: dict[int, dict[Key, _PendingRow]] = {}
        self.last_us = self.newest = -1
        self._history = history
        self._log = MidLog(LOG_SECONDS)
        self._unsettled: deque[int] = deque()

    def row(self, key: Key) -> _PendingRow | None:
        rows = self.rows.get(key[0] // MICROSECONDS)
        return None if rows is None else rows.get(key)

    def update(self, event: Event) -> _PendingRow | None:
        """Take an event in its order; return its new row, if it gives one."""
        taken = self._log.update(event)
        if taken in (Taken.LATE, Taken.REPEATED):
            return None
        self.last_us = max(self.last_us, event.time_us)
        self.newest = max(self.newest, event.time_us // MICROSECONDS)
        if isinstance(event, Tick | Beat) and gives_row(event, taken):
            return self._open(event)
        return None

    def settle(self, event: Event) -> Iterator[Matured]:
        """Fix the rows whose horizon this event completed."""
        while self._unsettled and self._unsettled[0] + HORIZON < self.newest:
            rows = self.rows[self._unsettled.popleft()]
            last = next(reversed(rows))
            for key, row in rows.items():
                if row.truth is None:
                    yield from row.settle(self._truth(key, row, event, key == last))
        self._prune()

    def end(self, received_us: int) -> Iterator[Matured]:
        """Fix the rest: another feed came before their horizon was complete."""
        while self._unsettled:
            rows = self.rows[self._unsettled.popleft()]
            last = next(reversed(rows))
            for key, row in rows.items():
                truth = GroundTruth(None, self.last_us, received_us, "unfinished", key == last)
                yield from row.settle(truth)

    def waiting(self) -> Iterator[Prediction]:
        for second in self._unsettled:
            for row in self.rows[second].values():
                yield from row.waiting

    def _open(self, event: Tick | Beat) -> _PendingRow:
        second = event.time_us // MICROSECONDS
        rows = self.rows.setdefault(second, {})
        row = rows[key_of(event)] = _PendingRow(event.mid)
        if not self._unsettled or self._unsettled[-1] != second:
            self._unsettled.append(second)
        return row

    def _truth(self, key: Key, row: _PendingRow, event: Event, last: bool) -> GroundTruth:
        label = self._log.label(key[0], row.mid)
        assert label is not None
        return GroundTruth(
            label.volatility, label.matured_us, event.received_us, label.reason, last
        )

    def _prune(self) -> None:
        oldest = next(iter(self.rows), self.newest)
        while oldest < self.newest - self._history and oldest not in self._unsettled:
            del self.rows[oldest]
            oldest = next(iter(self.rows), self.newest)


@dataclass(slots=True)
class _ProductRuns:
    """``early`` are the predictions whose tick has not been read yet."""

    runs: deque[_FeedRun] = field(default_factory=lambda: deque(maxlen=KEPT_RUNS))
    early: dict[tuple[str, Key], list[Prediction]] = field(default_factory=dict)

    def add(self, prediction: Prediction) -> JoinResult:
        row = self._row(prediction)
        if row is not None:
            return row.add(prediction)
        waiting = self.early.setdefault(_place(prediction), [])
        if any(p.prediction_id == prediction.prediction_id for p in waiting):
            return JoinResult(repeated=True)
        waiting.append(prediction)
        return JoinResult(repeated=False)

    def forget(self, prediction: Prediction) -> None:
        """Take out one that waits; a repeat of it changes nothing."""
        row = self._row(prediction)
        if row is not None:
            row.waiting.remove(prediction)
            row.told += (prediction.prediction_id,)
            return
        early = self.early[_place(prediction)]
        early.remove(prediction)
        if not early:
            del self.early[_place(prediction)]

    def _row(self, prediction: Prediction) -> _PendingRow | None:
        feed, key = _place(prediction)
        rows = (run.row(key) for run in self.runs if run.feed == feed)
        return next((row for row in rows if row is not None), None)

    def run(self, feed: str, history: int) -> _FeedRun:
        if not self.runs or self.runs[-1].feed != feed:
            self.runs.append(_FeedRun(feed, history))
        return self.runs[-1]

    def waiting(self) -> Iterator[Prediction]:
        for run in self.runs:
            yield from run.waiting()
        for predictions in self.early.values():
            yield from predictions


class Joiner:
    """Joins any number of products, each with its feeds, in bounded memory.

    Rows are remembered for ``history`` seconds of event time after they are settled.
    A prediction that comes later than that is ``early`` for ever, until ``reset`` and the
    ticks read again settle it, or ``give_up`` does.
    """

    def __init__(self, history: int = 1800) -> None:
        self._history = history
        self._products: dict[str, _ProductRuns] = {}
        self.pending = 0
        self.repeated = 0

    def add(self, prediction: Prediction) -> JoinResult:
        """Take one prediction; it may mature at once, or be a repeat that changes nothing."""
        added = self._product(prediction.product_id).add(prediction)
        if added.repeated:
            self.repeated += 1
        elif added.matured is None:
            self.pending += 1
        return added

    def update(self, event: Event) -> list[Matured]:
        """Take one event of ``ticks`` in its order and return the predictions that it matures."""
        product = self._product(event.product_id)
        before = product.runs[-1] if product.runs else None
        run = product.run(event.feed, self._history)
        matured = [] if before in (None, run) else list(_ended(before, event))
        row = run.update(event)
        if row is not None and isinstance(event, Tick | Beat):
            row.waiting = product.early.pop((event.feed, key_of(event)), [])
        matured.extend(run.settle(event))
        self.pending -= len(matured)
        return matured

    def feed(self, product_id: str) -> str | None:
        """Return the feed of the product's present run, if any event was read."""
        product = self._products.get(product_id)
        return product.runs[-1].feed if product and product.runs else None

    def waiting(self, product_ids: Iterable[str] | None = None) -> list[Prediction]:
        """Return the pending predictions, of all products or of some."""
        names = self._products if product_ids is None else product_ids
        return [p for name in names if name in self._products for p in self._of(name).waiting()]

    def early(self) -> list[Prediction]:
        """Return the pending predictions whose own tick has not been read."""
        found = (p.early.values() for p in self._products.values())
        return [p for lists in found for predictions in lists for p in predictions]

    def reset(self, product_ids: Iterable[str]) -> None:
        """Forget the ticks of these products, which will be read again; what waits, waits on."""
        for name in product_ids:
            waiting = self.waiting([name])
            self._products[name] = product = _ProductRuns()
            for prediction in waiting:
                product.add(prediction)

    def give_up(self, prediction: Prediction, reason: Unlabelled = "coverage") -> Matured:
        """Settle a prediction that waits in vain: its ticks are gone, or none follow any more."""
        self._of(prediction.product_id).forget(prediction)
        self.pending -= 1
        end_us = (prediction.time_us // MICROSECONDS + HORIZON + 1) * MICROSECONDS
        return _matured(prediction, GroundTruth(None, end_us, 0, reason, False))

    def _product(self, name: str) -> _ProductRuns:
        found = self._products.get(name)
        if found is None:
            found = self._products[name] = _ProductRuns()
        return found

    def _of(self, name: str) -> _ProductRuns:
        return self._products[name]


def _place(prediction: Prediction) -> tuple[str, Key]:
    return prediction.feed, (prediction.time_us, prediction.trade_id)


def _ended(run: _FeedRun | None, event: Event) -> Iterator[Matured]:
    return iter(()) if run is None else run.end(event.received_us)


def _matured(prediction: Prediction, truth: GroundTruth) -> Matured:
    tau, volatility = prediction.tau, truth.volatility
    reason: Unlabelled | None = truth.reason or ("no_tau" if tau is None else None)
    label = None if tau is None or volatility is None else volatility >= tau
    outcome = Outcome(
        prediction_id=prediction.prediction_id,
        row_id=prediction.row_id,
        feed=prediction.feed,
        product_id=prediction.product_id,
        time_us=prediction.time_us,
        label=label,
        realized_volatility=volatility,
        matured_us=truth.matured_us,
        reason=reason,
        tau=tau,
        coverage=prediction.coverage,
        last_of_second=truth.last_of_second,
        model_variant=prediction.model_variant,
        score=prediction.score,
        spike=prediction.spike,
    )
    return Matured(prediction, outcome, max(truth.received_us, prediction.scored_us))

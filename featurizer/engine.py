"""The engine that makes rows from Ticks, Beats and Breaks, one at a time.

Time comes from the event, never from the wall; a window is seconds, never rows.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from math import fsum, log
from typing import Final

from featurizer.features import FEATURES, NAMES, Feature
from featurizer.level.levels import Levels
from featurizer.level.records import MINUTE_SECONDS, Closed
from featurizer.level.run import Run
from featurizer.row import FeatureRow, key_of
from featurizer.slots import MICROSECONDS, Slot, Taken, Timeline
from featurizer.statistic import Return, Statistic
from ingestor.tick import Beat, Event, Tick

COVERAGE_WINDOW: Final = 300
READ_BACK_US: Final = 302 * MICROSECONDS
"""Event time to read back from the last slot, so that the state is exactly what it was."""
LONGEST: Final = 300
"""Longer windows are made of closed minutes, which outlast a restart by their records."""
QUIET_SECONDS: Final = 10
"""A living product has a row at least so often: where nothing is traded, a Beat's."""
RETURNS_WINDOW: Final = 60
SUMMED: Final = tuple(
    dict.fromkeys(f.statistic for f in FEATURES if isinstance(f.statistic, Statistic))
)


def gives_row(event: Event, taken: Taken) -> bool:
    """Say whether a row is made of an event that was taken so.

    It is of each accepted Tick, and of the Beat of each epoch second divisible by 10.
    """
    if taken is Taken.BEAT:
        return event.time_us // MICROSECONDS % QUIET_SECONDS == 0
    return taken is Taken.ACCEPTED


@dataclass(slots=True)
class _Product:
    """One product's timeline, with the sums over its closed slots made once a second.

    ``columns`` hold each statistic's terms of the seconds s - 300 … s - 1, None where there
    is none. ``closed`` are the sums (total, n) by feature, made of them by ``math.fsum``:
    correctly rounded, so that neither order nor history can show. ``broken`` says that a Break
    came since the last row, ``run`` is what the level is made of.
    """

    timeline: Timeline
    run: Run
    broken: bool = False
    second: int = -1
    columns: dict[Statistic, list[float | None]] = field(
        default_factory=lambda: {statistic: [None] * LONGEST for statistic in SUMMED}
    )
    closed: list[tuple[float, int]] = field(default_factory=list)
    returns: int = 0
    coverage: float = 0.0

    def row(self, event: Tick | Beat, after_break: bool) -> FeatureRow:
        """Return the row of the event that was taken last."""
        now = self.timeline.slots.current
        assert now is not None
        if now.second != self.second:
            self._close(now.second)
        time_us, trade_id = key_of(event)
        return FeatureRow(
            row_id=f"{event.feed}:{event.product_id}:{time_us}:{trade_id}",
            feed=event.feed,
            product_id=event.product_id,
            time_us=time_us,
            trade_id=trade_id,
            dialect=event.dialect,
            mid=now.mid,
            features=self._features(now),
            coverage=self.coverage,
            tau=self.run.level.tau,
            tau_status=self.run.level.status,
            returns=self.returns + (now.log_return is not None),
            after_break=after_break,
            beat=isinstance(event, Beat),
        )

    def _features(self, now: Slot) -> dict[str, float | None]:
        """Add the current slot's term, last and once, to each closed sum."""
        terms = {statistic: statistic.term(now) for statistic in SUMMED}
        age = now.second - self.run.run_us // MICROSECONDS
        found: dict[str, float | None] = {}
        for name, feature, (total, n) in zip(NAMES, FEATURES, self.closed, strict=True):
            statistic, window = feature.statistic, feature.window
            if isinstance(statistic, Return):
                found[name] = self._return(now, window)
                continue
            if statistic.with_now and (term := terms[statistic]) is not None:
                total, n = total + term, n + 1
            known = statistic.known(n, age, window)
            found[name] = statistic.value(total, n, window) if known else None
        return found

    def _return(self, now: Slot, window: int) -> float | None:
        then = self.timeline.slots.at(now.second - window)
        return None if then is None else log(now.mid / then.mid)

    def _close(self, second: int) -> None:
        """Move the columns on to the seconds before ``second`` and sum them."""
        slots, first = self.timeline.slots, max(self.second, second - LONGEST)
        passed = [slots.at(k) for k in range(first, second)]
        for statistic, column in self.columns.items():
            term = statistic.term
            column += [None if slot is None else term(slot) for slot in passed]
            del column[:-LONGEST]
        self.closed = [self._sum(feature) for feature in FEATURES]
        past = slots.between(second - RETURNS_WINDOW + 1, second - 1)
        self.returns = sum(slot.log_return is not None for slot in past)
        self.coverage = len(slots.between(second - COVERAGE_WINDOW + 1, second)) / COVERAGE_WINDOW
        self.second = second

    def _sum(self, feature: Feature) -> tuple[float, int]:
        statistic, window = feature.statistic, feature.window
        if isinstance(statistic, Return):
            return 0.0, 0
        if window > LONGEST:
            return self.run.squares(window // MINUTE_SECONDS - 1)
        reach = window - 1 if statistic.with_now else window
        terms = [term for term in self.columns[statistic][-reach:] if term is not None]
        return fsum(terms), len(terms)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a product's state that what comes depends on."""

    timeline: Timeline
    run: Run
    broken: bool


class FeatureEngine:
    """Turns events of any number of products into rows; live, replay and training use this one.

    ``levels`` go along with it; ``closed`` is told what of them closes, before the row.

    >>> engine = FeatureEngine()
    >>> tick = Tick(feed="f", product_id="BTC-USD", dialect="advanced", time_us=1_000_000,
    ...             received_us=0, price=10.0, bid=9.0, ask=11.0)
    >>> engine.update(tick).features["spread_mean_60s"] is None   # 1 of 60 seconds is known
    True
    """

    __slots__ = ("_closed", "_products", "counts", "levels")

    def __init__(
        self, levels: Levels | None = None, closed: Callable[[Closed], object] = bool
    ) -> None:
        self._products: dict[str, _Product] = {}
        self._closed, self.levels = closed, levels or Levels()
        self.counts: Counter[Taken] = Counter()

    def update(self, event: Event) -> FeatureRow | None:
        """Take one event in its order; return its row, None where it gives none.

        An event of another feed than the product's state first clears that state.
        A Tick whose (``time_us``, ``trade_id`` or 0) is not greater than the last accepted
        key is counted as late or repeated and changes nothing.
        """
        return self.take(event)[1]

    def take(self, event: Event) -> tuple[Taken, FeatureRow | None]:
        """Update, and say as well what became of the event."""
        state, taken, closed = self._put(event)
        self.counts[taken] += 1
        for record in closed:
            self._closed(record)
        if isinstance(event, Tick | Beat) and gives_row(event, taken):
            after_break, state.broken = state.broken, False
            return taken, state.row(event, after_break)
        return taken, None

    def restore(self, event: Event) -> None:
        """Take one event of the past: the same state as after ``update``; nothing is told."""
        state, taken, _ = self._put(event)
        if gives_row(event, taken):
            state.broken = False

    def snapshot(self, product_id: str) -> Snapshot:
        """Return a copy of a product's state; raises ``KeyError`` where it has none."""
        state = self._products[product_id]
        return deepcopy(Snapshot(state.timeline, state.run, state.broken))

    def resume(self, state: Snapshot) -> None:
        """Go on with a product where a snapshot was taken."""
        state = deepcopy(state)
        product = _Product(state.timeline, state.run, state.broken)
        self._products[state.run.product_id] = product
        self.levels.take_over(state.run)

    def feed_of(self, product_id: str) -> str | None:
        """Return the feed that the product's state comes from, None if there is no state."""
        state = self._products.get(product_id)
        return None if state is None else state.timeline.feed

    def _put(self, event: Event) -> tuple[_Product, Taken, Sequence[Closed]]:
        product_id = event.product_id
        state = self._products.get(product_id)
        if state is None or state.timeline.feed != event.feed:
            run = self.levels.begin(event)
            state = self._products[product_id] = _Product(Timeline(event.feed), run)
        slots = state.timeline.slots
        before = slots.current
        taken = state.timeline.take(event)
        if taken is Taken.BREAK:
            state.broken = True
        if (now := slots.current) is before or now is None:
            return state, taken, ()
        return state, taken, state.run.step(before, now.second)

    def forget(self, product_id: str) -> None:
        """Drop a product's state, as when its partition moves to another process."""
        self._products.pop(product_id, None)
        self.levels.forget(product_id)

"""The engine that makes rows from Ticks, Beats and Breaks, one at a time.

Time comes from the event, never from the wall; a window is seconds, never rows.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from featurizer.features import FEATURES
from featurizer.level.levels import Levels
from featurizer.level.records import Closed
from featurizer.level.run import Run
from featurizer.row import FeatureRow, key_of
from featurizer.slots import MICROSECONDS, Taken, Timeline
from featurizer.windows import Windows, plan_of
from ingestor.tick import Beat, Break, Event, Tick

READ_BACK_US: Final = 302 * MICROSECONDS
"""Event time to read back from the last slot, so that the state is exactly what it was."""
QUIET_SECONDS: Final = 10
"""A living product has a row at least so often: where nothing is traded, a Beat's."""
PLAN: Final = plan_of(FEATURES)


def gives_row(event: Event, taken: Taken) -> bool:
    """Say whether a row is made of an event that was taken so.

    It is of each accepted Tick, and of the Beat of each epoch second divisible by 10.
    """
    if taken is Taken.ACCEPTED:
        return True
    return taken is Taken.BEAT and event.time_us // MICROSECONDS % QUIET_SECONDS == 0


class _Product:
    """One product's timeline, with its windows.

    ``broken`` says that a Break came since the last row, ``run`` is what the level is made of.
    """

    __slots__ = ("_named", "broken", "run", "timeline", "windows")

    def __init__(self, timeline: Timeline, run: Run, broken: bool = False) -> None:
        self.timeline, self.run, self.broken = timeline, run, broken
        self.windows = Windows(PLAN)
        self._named = f"{run.feed}:{run.product_id}:"

    def put(self, event: Event) -> tuple[Taken, Sequence[Closed]]:
        """Put an event in its place; say what became of it, and what closes as a second begins."""
        slots = self.timeline.slots
        before = slots.current
        taken = self.timeline.take(event)
        now = slots.current
        if taken is Taken.BREAK:
            self.broken = True
        if now is before or now is None:
            return taken, ()
        return taken, self.run.step(before, now.second)

    def row(self, event: Tick | Beat, after_break: bool) -> FeatureRow:
        """Return the row of the event that was taken last."""
        slots, windows, level = self.timeline.slots, self.windows, self.run.level
        now = slots.current
        assert now is not None
        features = windows.features(slots, now, self.run)
        time_us, trade_id = key_of(event)
        return FeatureRow(
            row_id=f"{self._named}{time_us}:{trade_id}",
            feed=event.feed,
            product_id=event.product_id,
            time_us=time_us,
            trade_id=trade_id,
            dialect=event.dialect,
            mid=now.mid,
            features=features,
            coverage=windows.coverage,
            tau=level.tau,
            tau_status=level.status,
            returns=windows.returns + (now.log_return is not None),
            after_break=after_break,
            beat=isinstance(event, Beat),
        )


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
        state = self._of(event)
        taken, closed = state.put(event)
        self.counts[taken] += 1
        for record in closed:
            self._closed(record)
        if not gives_row(event, taken):
            return taken, None
        assert not isinstance(event, Break)
        after_break, state.broken = state.broken, False
        return taken, state.row(event, after_break)

    def restore(self, event: Event) -> None:
        """Take one event of the past: the same state as after ``update``; nothing is told."""
        state = self._of(event)
        taken, _ = state.put(event)
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

    def _of(self, event: Event) -> _Product:
        """Return the state of the event's product, cleared if it is of another feed."""
        state = self._products.get(event.product_id)
        if state is None or state.timeline.feed != event.feed:
            state = _Product(Timeline(event.feed), self.levels.begin(event))
            self._products[event.product_id] = state
        return state

    def forget(self, product_id: str) -> None:
        """Drop a product's state, as when its partition moves to another process."""
        self._products.pop(product_id, None)
        self.levels.forget(product_id)

"""Labelled rows by the live engine, one event after the other: what columns are compared with."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from featurizer.engine import FeatureEngine, Snapshot
from featurizer.labels import HORIZON, Label, MidLog
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from featurizer.row import FeatureRow
from featurizer.slots import MICROSECONDS, Taken
from ingestor.tick import Break, Event, Tick

FULL_COVERAGE: Final = 1.0
KEPT: Final = 4 * HORIZON
"""Seconds held to label with; a row asks for its label as soon as its 60 s are over."""


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """The last row of its product and second, with what followed; ``label`` None: unfinished."""

    row: FeatureRow
    label: Label | None

    @property
    def usable(self) -> bool:
        """Whether it may be learned from: a label, and every one of the last 300 s known."""
        return self.fate == "usable"

    @property
    def fate(self) -> str:
        """What becomes of the row in training: ``usable``, or why not."""
        if self.label is None:
            return "unfinished"
        if self.label.reason is not None:
            return self.label.reason
        return "usable" if self.row.coverage == FULL_COVERAGE else "warming"


@dataclass(slots=True)
class _ProductRows:
    """``pending`` is the newest event, not yet taken: what follows says whether its row counts.

    ``newest_us`` is the time of the latest Tick or Beat taken.
    """

    newest_us: int = 0
    log: MidLog = field(default_factory=lambda: MidLog(KEPT))
    pending: Event | None = None
    last: FeatureRow | None = None
    waiting: deque[FeatureRow] = field(default_factory=deque)

    def second_over(self) -> None:
        if self.last is not None:
            self.waiting.append(self.last)
            self.last = None

    def matured(self) -> Iterator[LabelledRow]:
        while self.waiting:
            row = self.waiting[0]
            label = self.log.label(row.time_us, row.mid)
            if label is None:
                return
            self.waiting.popleft()
            yield LabelledRow(row, label)


def _superseded(event: Event, following: Event) -> bool:
    """Return whether a row is bound to be followed by another of its second.

    The engine then takes the event without making its row, which saves most of the work.
    """
    return (
        isinstance(event, Tick)
        and isinstance(following, Tick)
        and event.feed == following.feed
        and event.time_us // MICROSECONDS == following.time_us // MICROSECONDS
        and (event.time_us, event.trade_id or 0) < (following.time_us, following.trade_id or 0)
    )


class Labeller:
    """Turns events into labelled rows, of one feed a product; memory holds one horizon of rows.

    Only rows from ``start_us`` to before ``end_us`` (epoch microseconds, whole seconds) are
    given and counted, and the events from the first Tick or Beat at ``start_us`` or later up to
    the first at ``end_us`` or later: the others are what these look back and ahead to.
    ``state`` is that of the product of a shard, before its first event.
    ``counts`` has what became of the events, by the engine's rule, and of the rows.
    """

    __slots__ = ("_end_us", "_engine", "_events", "_products", "_rows", "_start_us")

    def __init__(
        self, start_us: int = 0, end_us: int = 2**63 - 1, state: Snapshot | None = None
    ) -> None:
        self._start_us, self._end_us = start_us, end_us
        self._engine = FeatureEngine(Levels(default_seeds()))
        if state is not None:
            self._engine.resume(state)
        self._products: dict[str, _ProductRows] = {}
        self._events: Counter[Taken] = Counter()
        self._rows: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """How many ``events_…`` and ``rows_…`` of each kind there were."""
        events = {f"events_{taken.value}": n for taken, n in self._events.items()}
        rows = {f"rows_{fate}": n for fate, n in self._rows.items()}
        return dict(sorted(events.items())) | dict(sorted(rows.items()))

    def rows(self, events: Iterable[Event]) -> Iterator[LabelledRow]:
        """Return the labelled rows of all products, each once its label is known, then the rest."""
        for event in events:
            product = self._products.get(event.product_id)
            if product is None:
                product = self._products[event.product_id] = _ProductRows()
            pending, product.pending = product.pending, event
            if pending is not None:
                self._take(product, pending, _superseded(pending, event))
                if product.waiting:
                    yield from self._count(product.matured())
        yield from self._count(self._rest())

    def _take(self, product: _ProductRows, event: Event, superseded: bool) -> None:
        row = None
        if superseded:
            self._engine.restore(event)
        else:
            row = self._engine.update(event)
        taken = product.log.update(event)
        if not isinstance(event, Break):
            product.newest_us = max(product.newest_us, event.time_us)
            last = product.last
            if last is not None and event.time_us // MICROSECONDS > last.second:
                product.second_over()
        if self._start_us <= product.newest_us < self._end_us:
            self._events[taken] += 1
        if row is not None:
            product.last = row

    def _rest(self) -> Iterator[LabelledRow]:
        for product in self._products.values():
            if product.pending is not None:
                self._take(product, product.pending, superseded=False)
            yield from product.matured()
            product.second_over()
            for row in product.waiting:
                yield LabelledRow(row, product.log.label(row.time_us, row.mid))

    def _count(self, rows: Iterable[LabelledRow]) -> Iterator[LabelledRow]:
        for labelled in rows:
            if self._start_us <= labelled.row.time_us < self._end_us:
                self._rows[labelled.fate] += 1
                yield labelled

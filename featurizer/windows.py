"""One product's windows: what its closed seconds come to, made anew once a second.

Sums are exact (``featurizer.exact``), so neither their order nor what was summed before can show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log, nan
from typing import Final

from featurizer.exact import Trailing
from featurizer.features import Feature
from featurizer.level.records import MINUTE_SECONDS
from featurizer.level.run import Run
from featurizer.slots import MICROSECONDS, Slot, Slots
from featurizer.statistic import Return, Statistic, mean

COVERAGE_WINDOW: Final = 300
LONGEST: Final = 300
"""Longer windows are made of closed minutes, which outlast a restart by their records."""
RETURNS_WINDOW: Final = 60
_KNOWN: Final = 2 ** (COVERAGE_WINDOW - 1) - 1
_RETURNED: Final = 2 ** (RETURNS_WINDOW - 1) - 1

Sum = tuple[float, int]
"""A sum and the number of its terms."""
Mean = tuple[str, float, int]
"""A mean that the current slot's term changes: name, sum so far, n with it."""
Other = tuple[str, Callable[[float, int, int], float], float, int, int]
"""What is no mean: name, value, sum so far, n with the current slot's term, window."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the features ask for, in an order that takes each slot's term once.

    ``summed`` has by statistic its features' names and windows, ``returns`` those that compare
    two slots.
    """

    names: tuple[str, ...]
    summed: tuple[tuple[Statistic, tuple[tuple[str, int], ...]], ...]
    returns: tuple[tuple[str, int], ...]


def plan_of(features: Sequence[Feature]) -> Plan:
    """Return the plan of these features."""
    summed: dict[Statistic, list[tuple[str, int]]] = {}
    returns: list[tuple[str, int]] = []
    for feature in features:
        named = feature.name, feature.window
        if isinstance(feature.statistic, Return):
            returns.append(named)
        else:
            summed.setdefault(feature.statistic, []).append(named)
    grouped = tuple((statistic, tuple(named)) for statistic, named in summed.items())
    return Plan(tuple(feature.name for feature in features), grouped, tuple(returns))


class _Column:
    """One statistic's terms of the closed seconds, summed over the windows of its features.

    ``means`` and ``others`` are the features that are known with a term of the current slot,
    ``last`` is the term that they were made of last, NaN as a second begins.
    """

    __slots__ = (
        "_age",
        "_features",
        "_minutes",
        "_short",
        "_sums",
        "last",
        "means",
        "others",
        "statistic",
        "terms",
    )

    def __init__(self, statistic: Statistic, features: Sequence[tuple[str, int]]) -> None:
        self.statistic = statistic
        short = [(name, w) for name, w in features if w <= LONGEST]
        long = [(name, w) for name, w in features if w > LONGEST]
        self._features, self._short = tuple(enumerate((*short, *long))), len(short)
        own = 1 if statistic.with_now else 0
        self.terms = Trailing([w - own for _, w in short] or [1])
        self._minutes = [w // MINUTE_SECONDS - 1 for _, w in long]
        self._sums: list[Sum] = []
        self._age = 0
        self.last: float | None = nan
        self.means: list[Mean] = []
        self.others: list[Other] = []

    def close(self, age: int, run: Run) -> None:
        """Sum what is closed; that of a long window is what the level keeps."""
        value, known = self.statistic.value, self.statistic.known
        sums = self.terms.sums()[: self._short]
        sums += [run.squares(minutes) for minutes in self._minutes]
        self._age, self._sums, self.last = age, sums, nan
        self.means, self.others = [], []
        for k, (name, window) in self._features:
            total, n = sums[k]
            if known(n + 1, age, window):
                if value is mean:
                    self.means.append((name, total, n + 1))
                else:
                    self.others.append((name, value, total, n + 1, window))

    def closed(self) -> dict[str, float | None]:
        """Return the features without a term of the current slot."""
        value, known, found = self.statistic.value, self.statistic.known, dict[str, float | None]()
        for k, (name, window) in self._features:
            total, n = self._sums[k]
            found[name] = value(total, n, window) if known(n, self._age, window) else None
        return found


class Windows:
    """The closed seconds of one product up to the current one, and the features of a moment.

    ``coverage`` is the share of the last 300 seconds that have a slot, the current one included;
    ``returns`` the number of returns in the 59 closed seconds before it.
    """

    __slots__ = (
        "_columns",
        "_ends",
        "_known",
        "_last",
        "_live",
        "_mid",
        "_plan",
        "_returned",
        "_second",
        "coverage",
        "returns",
    )

    def __init__(self, plan: Plan) -> None:
        self._plan, self._second = plan, -1
        self._columns = [_Column(statistic, features) for statistic, features in plan.summed]
        self._live = [column for column in self._columns if column.statistic.with_now]
        self._known = self._returned = 0  # a bit for each second, the last one lowest
        self._last: dict[str, float | None] = {}
        self._mid = nan
        self._ends: list[tuple[str, float]] = []
        self.coverage, self.returns = 0.0, 0

    def features(self, slots: Slots, now: Slot, run: Run) -> dict[str, float | None]:
        """Return the features: the current slot's term, last and once, added to each closed sum."""
        if now.second != self._second:
            self._close(slots, now.second, run)
        found = self._last
        for column in self._live:
            term = column.statistic.term(now)
            if term == column.last:  # as with most ticks: the quote still stands
                continue
            column.last = term
            if term is None:
                found.update(column.closed())
                continue
            for name, total, n in column.means:
                found[name] = (total + term) / n
            for name, value, total, n, window in column.others:
                found[name] = value(total + term, n, window)
        mid = now.mid
        if mid != self._mid:
            self._mid = mid
            for name, then in self._ends:
                found[name] = log(mid / then)
        return found.copy()

    def _close(self, slots: Slots, second: int, run: Run) -> None:
        """Move on to the seconds before ``second``, and prepare what its rows are made of."""
        for k in range(max(self._second, second - LONGEST), second):
            self._push(slots.at(k))
        self._second, age = second, second - run.run_us // MICROSECONDS
        self.coverage = (self._known.bit_count() + 1) / COVERAGE_WINDOW
        self.returns = self._returned.bit_count()
        self._last, self._mid = dict.fromkeys(self._plan.names), nan
        for column in self._columns:
            column.close(age, run)
            if not column.statistic.with_now:
                self._last.update(column.closed())
        ends = ((name, slots.at(second - window)) for name, window in self._plan.returns)
        self._ends = [(name, slot.mid) for name, slot in ends if slot is not None]

    def _push(self, slot: Slot | None) -> None:
        for column in self._columns:
            column.terms.push(None if slot is None else column.statistic.term(slot))
        self._known = (self._known << 1 | (slot is not None)) & _KNOWN
        returned = slot is not None and slot.log_return is not None
        self._returned = (self._returned << 1 | returned) & _RETURNED

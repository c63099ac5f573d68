"""One run: a product in one feed, from its first event until another feed's, and its level.

A second is counted when a later one has begun, and only then may its minute, bin and day close.
A Break begins no second, so it closes nothing; a late tick begins none either.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import fsum
from typing import Any, Final

from featurizer.exact import Exact
from featurizer.level.histogram import Cells, Histogram, cell_of
from featurizer.level.level import HOUR, Level, level_of
from featurizer.level.records import (
    BIN_SECONDS,
    DAY_SECONDS,
    MINUTE_SECONDS,
    Bin,
    Closed,
    Day,
    Minute,
)
from featurizer.slots import MICROSECONDS, Slot
from featurizer.statistic import REALIZED_VOLATILITY

WINDOW: Final = 60
BINS: Final = 144
DAYS: Final = 7
MINUTES: Final = 59


@dataclass(slots=True)
class _Open:
    """The minute under way: r² of its closed seconds, and the cells of their volatilities.

    ``total`` is their exact sum; ``before`` has by number of minutes before this one the sum over
    these and the number of its returns, once it was asked for.
    """

    squares: list[float] = field(default_factory=list)
    cells: Counter[int] = field(default_factory=Counter)
    total: Exact = field(default_factory=Exact)
    before: dict[int, tuple[Exact, int]] = field(default_factory=dict)

    def add(self, square: float) -> None:
        self.squares.append(square)
        self.total.add(square)


class Run:
    """State: the minute under way, and of what is closed, 59 minutes, 144 bins and 7 days.

    ``second`` is the epoch second under way, -1 before the first; ``level`` is in force for its
    rows. ``run_us`` is the event time of the first event of any kind.
    """

    __slots__ = (
        "_bins",
        "_day",
        "_days",
        "_minute",
        "_open_bin",
        "_recent",
        "_seed",
        "_week",
        "feed",
        "level",
        "minutes",
        "product_id",
        "run_us",
        "second",
    )

    def __init__(self, product_id: str, feed: str, run_us: int, seed: float | None) -> None:
        self.product_id, self.feed, self.run_us, self._seed = product_id, feed, run_us, seed
        self.second = -1
        self._recent: deque[float] = deque(maxlen=WINDOW)  # r² of seconds that hang together
        self._minute = _Open()
        self._open_bin: Counter[int] = Counter()
        self.minutes: dict[int, Minute] = {}
        self._bins: dict[int, Cells] = {}
        self._days: dict[int, Cells] = {}
        self._day, self._week = Histogram(), Histogram()
        self.level: Level = level_of(self._day, self._week, seed)

    def step(self, slot: Slot | None, second: int) -> list[Closed]:
        """Count the slot of the second before, as ``second`` begins; return what that closes."""
        before, self.second = self.second, second
        if slot is None:
            return []
        self._count(slot)
        if second // MINUTE_SECONDS == before // MINUTE_SECONDS:
            return []
        return [*self._close_minute(before), *self._close_bin(before)]

    def leap(self, cells: Cells, last: int, second: int) -> list[Closed]:
        """Count at once what is left of a bin up to its second ``last``, as a later one begins.

        Of what is not told by cells, minutes and returns, nothing is kept.
        """
        self._open_bin.update(dict(cells))
        self.second = second
        return self._close_bin(last)

    def resume(
        self, run_us: int, minutes: Iterable[Minute], bins: Iterable[Bin], days: Iterable[Day]
    ) -> None:
        """Take what closed before the minute under way from records instead of own counting."""
        self.run_us = run_us
        self.minutes = {
            number: minute
            for number, minute in sorted((r.second // MINUTE_SECONDS, r) for r in minutes)
            if 0 < self.second // MINUTE_SECONDS - number <= MINUTES
        }
        self._minute.before.clear()
        self._open_bin = Counter(self._minute.cells)
        for minute in self.minutes.values():
            if minute.second // BIN_SECONDS == self.second // BIN_SECONDS:
                self._open_bin.update(dict(minute.cells))
        self._bins = self._within(bins, BIN_SECONDS, BINS)
        self._days = self._within(days, DAY_SECONDS, DAYS)
        self._day, self._week = Histogram(self._bins.values()), Histogram(self._days.values())
        self.level = level_of(self._day, self._week, self._seed)

    def _within(self, closed: Iterable[Bin | Day], length: int, reach: int) -> dict[int, Cells]:
        """Return by number, in their order, those of the last ``reach`` stretches."""
        found = {record.second // length: record.cells for record in closed}
        now = self.second // length
        return {number: found[number] for number in sorted(found) if 0 < now - number <= reach}

    def squares(self, minutes: int) -> tuple[float, int]:
        """Return Σ r² (to the bits of ``math.fsum``) and the number of returns r, one a second.

        They are those of the closed seconds of the minute under way and of so many epoch minutes
        before it, 59 at most.
        """
        own = self._minute
        found = own.before.get(minutes)
        if found is None:
            found = own.before[minutes] = self._closed_squares(minutes)
        return own.total.plus(found[0]), len(own.squares) + found[1]

    def _closed_squares(self, minutes: int) -> tuple[Exact, int]:
        first = self.second // MINUTE_SECONDS - minutes
        closed = [m for number, m in self.minutes.items() if number >= first]
        return Exact(m.squares for m in closed), sum(m.n for m in closed)

    @property
    def counted(self) -> int:
        """Counted seconds in τ_day."""
        return self._day.n

    def share_below(self, volatility: float) -> float | None:
        """Return the share of the last day's seconds in cells below a volatility's (log return)."""
        return self._day.below(volatility) / self._day.n if self._day.n else None

    def wait(self) -> int | None:
        """Return after how many seconds of event time there is a level at the earliest.

        0 where there is one, None where it is not for want of seconds that there is none.
        """
        if self.level.status != "blind":
            return None if self.level.tau is None else 0
        lacking = HOUR - self._day.n - self._open_bin.total()
        if lacking > 0:
            lacking += max(0, WINDOW - 1 - len(self._recent))
        now = self.run_us // MICROSECONDS if self.second < 0 else self.second
        last = now + max(lacking, 1) - 1
        return (last // BIN_SECONDS + 1) * BIN_SECONDS - now

    def state(self) -> tuple[object, ...]:
        """Return all that decides what comes, to be compared."""
        return (
            (self.feed, self.run_us, self.second, self.level, self._seed),
            (list(self._recent), list(self._minute.squares), sorted(self._minute.cells.items())),
            (
                sorted(self._open_bin.items()),
                dict(self.minutes),
                dict(self._bins),
                dict(self._days),
            ),
        )

    def _count(self, slot: Slot) -> None:
        r = slot.log_return
        if r is None:
            self._recent.clear()
            return
        self._minute.add(r * r)
        self._recent.append(r * r)
        if len(self._recent) == WINDOW:
            # The last row of the second says the same, to the bit: closed ones first, then its own.
            *closed, last = self._recent
            cell = cell_of(REALIZED_VOLATILITY.value(fsum(closed) + last, WINDOW, WINDOW))
            self._minute.cells[cell] += 1
            self._open_bin[cell] += 1

    def _close_minute(self, before: int) -> list[Closed]:
        number, squares = before // MINUTE_SECONDS, self._minute.squares
        cells = tuple(sorted(self._minute.cells.items()))
        named = self._named(number * MINUTE_SECONDS)
        closed = Minute(**named, cells=cells, n=len(squares), squares=fsum(squares))
        self._minute = _Open()
        self.minutes[number] = closed
        first = self.second // MINUTE_SECONDS - MINUTES
        self.minutes = {m: minute for m, minute in self.minutes.items() if m >= first}
        return [closed]

    def _close_bin(self, before: int) -> list[Closed]:
        number = before // BIN_SECONDS
        if self.second // BIN_SECONDS == number:
            return []
        cells = tuple(sorted(self._open_bin.items()))
        self._open_bin = Counter()
        self._bins[number] = cells
        self._day.add(cells)
        closed = Bin(**self._named(number * BIN_SECONDS), cells=cells)
        days = self._close_day(before // DAY_SECONDS)
        self._forget()
        self.level = level_of(self._day, self._week, self._seed)
        return [closed, *days]

    def _close_day(self, number: int) -> list[Closed]:
        today = self.second // DAY_SECONDS
        if today == number:
            return []
        bins = (b for at, b in self._bins.items() if at * BIN_SECONDS // DAY_SECONDS == number)
        cells = Histogram(bins).cells
        self._days[number] = cells
        self._days = {day: c for day, c in self._days.items() if day >= today - DAYS}
        self._week = Histogram(self._days.values())
        return [Day(**self._named(number * DAY_SECONDS), cells=cells)]

    def _forget(self) -> None:
        """Let go of the bins that are too old for the one that begins."""
        first = self.second // BIN_SECONDS - BINS
        for number in [number for number in self._bins if number < first]:
            self._day.add(self._bins.pop(number), times=-1)

    def _named(self, second: int) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "product_id": self.product_id,
            "run_us": self.run_us,
            "start_us": second * MICROSECONDS,
        }

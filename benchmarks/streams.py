"""The twelve features of the first release by other ways: what the engine is measured beside.

Each takes a Tick and returns the twelve in their order, by the definitions of ``docs/features.md``:
the seconds of one product, its last quote each, sums over closed seconds and the current one.
They share the slots and differ in how a window is kept. Sums are running floats, so they agree
with the engine to about 1e-9 and not to the bit. None knows Beats, Breaks or late ticks.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from importlib import import_module
from math import fsum, log, sqrt
from typing import Any, Final

from ingestor.tick import Tick

LONGEST: Final = 300
TERMS: Final = ("square", "spread", "imbalance", "ticks", "velocity")
WINDOWS: Final = (
    ("square", 60),
    ("spread", 60),
    ("ticks", 60),
    ("square", 300),
    ("spread", 300),
    ("ticks", 300),
    ("imbalance", 30),
    ("imbalance", 60),
    ("imbalance", 300),
    ("velocity", 300),
)
Terms = dict[str, float | None]
Row = tuple[float | None, ...]


class Stream(ABC):
    """One product: the current second, the mids of 300 before it, and sums that a kind keeps."""

    def __init__(self) -> None:
        self.second, self.run, self.ticks = -1, 0, 0
        self.mid = 0.0
        self.mids: dict[int, float] = {}
        self.terms: Terms = {}
        self.closed: list[tuple[float, int]] = [(0.0, 0)] * len(WINDOWS)

    @abstractmethod
    def close(self, second: int, terms: Terms) -> None:
        """Take the terms of a second that is over."""

    @abstractmethod
    def sums(self, second: int) -> list[tuple[float, int]]:
        """Return of each of ``WINDOWS`` the sum and number of terms before ``second``."""

    def update(self, tick: Tick) -> Row:
        """Take a tick and return the twelve features."""
        second = tick.time_us // 1_000_000
        if second != self.second:
            self._begin(second)
        bid, ask, sizes = tick.bid, tick.ask, (tick.bid_size, tick.ask_size)
        mid = self.mid = (bid + ask) / 2
        self.ticks += 1
        before, terms = self.mids.get(second - 1), self.terms
        if before is not None:
            r = log(mid / before)
            terms["square"], terms["velocity"] = r * r, abs(mid - before) / before
        terms["spread"] = (ask - bid) / mid
        first, other = sizes
        if first is not None and other is not None and first + other > 0:
            terms["imbalance"] = (first - other) / (first + other)
        return self._row(second, mid)

    def _begin(self, second: int) -> None:
        if self.second < 0:
            self.run = second
        else:
            self.terms["ticks"] = float(self.ticks)
            self.mids[self.second] = self.mid
            self.mids.pop(self.second - LONGEST - 1, None)
            self.close(self.second, self.terms)
        self.second, self.ticks = second, 0
        self.terms = dict.fromkeys(TERMS)
        self.closed = self.sums(second)

    def _row(self, second: int, mid: float) -> Row:
        found: list[float | None] = []
        for (name, window), (total, n) in zip(WINDOWS, self.closed, strict=True):
            term = self.terms[name]
            if name != "ticks" and term is not None:
                total, n = total + term, n + 1
            if name == "square":
                known = n >= 20 and 3 * (second - self.run) >= window
                found.append(sqrt(window / n * max(total, 0.0)) if known else None)
            else:
                found.append(total / n if 2 * n >= window else None)
        then = [self.mids.get(second - window) for window in (60, 300)]
        near, far = (None if mid_ is None else log(mid / mid_) for mid_ in then)
        return (found[0], near, *found[1:4], far, *found[4:])


class Deques(Stream):
    """A deque and a running float sum for each window."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[deque[tuple[int, float]]] = [deque() for _ in WINDOWS]
        self.totals = [0.0] * len(WINDOWS)

    def close(self, second: int, terms: Terms) -> None:
        """Append each term where it counts."""
        for at, (name, _) in enumerate(WINDOWS):
            term = terms[name]
            if term is not None:
                self.kept[at].append((second, term))
                self.totals[at] += term

    def sums(self, second: int) -> list[tuple[float, int]]:
        """Let go of what is too old."""
        for at, (name, window) in enumerate(WINDOWS):
            kept, first = self.kept[at], second - window + (name != "ticks")
            while kept and kept[0][0] < first:
                self.totals[at] -= kept.popleft()[1]
        return [(total, len(kept)) for total, kept in zip(self.totals, self.kept, strict=True)]


class PrefixSums(Stream):
    """A log of running sums and counts by second, of which a window is the difference of two."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.log: dict[str, list[tuple[float, int]]] = {name: [(0.0, 0)] for name in TERMS}

    def close(self, second: int, terms: Terms) -> None:
        """Append to the log, seconds without a slot included."""
        for name, log_ in self.log.items():
            total, n = log_[-1]
            log_ += [(total, n)] * (second - self.run - len(log_) + 1)
            term = terms[name]
            log_.append((total, n) if term is None else (total + term, n + 1))

    def sums(self, second: int) -> list[tuple[float, int]]:
        """Return the differences; seconds are counted from the first."""
        found = []
        for name, window in WINDOWS:
            log_ = self.log[name]
            total, n = log_[-1]
            first = max(0, second - self.run - window + (name != "ticks"))
            before, m = log_[min(first, len(log_) - 1)]
            found.append((total - before, n - m))
        return found


class Anew(Stream):
    """Terms in lists, summed anew by ``math.fsum`` each second, as the engine did at first."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, list[float | None]] = {name: [None] * LONGEST for name in TERMS}

    def close(self, second: int, terms: Terms) -> None:
        """Move the lists on."""
        for name, kept in self.kept.items():
            kept.append(terms[name])
            del kept[0]

    def sums(self, second: int) -> list[tuple[float, int]]:
        """Sum the ends of the lists; there must be a slot in each second."""
        found = []
        for name, window in WINDOWS:
            kept = self.kept[name][-(window - (name != "ticks")) :]
            terms = [term for term in kept if term is not None]
            found.append((fsum(terms), len(terms)))
        return found


class River(Stream):
    """river's ``TimeRolling`` over ``stats.Sum``, one of terms and one of their number a window."""

    def __init__(self) -> None:
        super().__init__()
        stats, utils = import_module("river.stats"), import_module("river.utils")
        self.rolling: list[tuple[str, Any, Any]] = []
        for name, window in WINDOWS:
            period = dt.timedelta(seconds=window - (name != "ticks"))
            sums = (utils.TimeRolling(stats.Sum(), period=period) for _ in range(2))
            self.rolling.append((name, *sums))

    def close(self, second: int, terms: Terms) -> None:
        """Update each pair; a second without a term counts nothing."""
        at = dt.datetime.fromtimestamp(second, dt.UTC).replace(tzinfo=None)
        for name, total, n in self.rolling:
            term = terms[name]
            total.update(term or 0.0, t=at)
            n.update(0 if term is None else 1, t=at)

    def sums(self, second: int) -> list[tuple[float, int]]:
        """Return what each pair holds; there must be a slot in each second."""
        return [(total.get(), round(n.get())) for _, total, n in self.rolling]


STREAMS: Final[dict[str, Callable[[], Stream]]] = {
    "river, `TimeRolling` a window": River,
    "`math.fsum` anew each second": Anew,
    "a deque a window": Deques,
    "prefix sums": PrefixSums,
}
"""By the words of the table."""

"""Sums of squared returns: by seconds, and by closed minutes as the level keeps them."""

import numpy as np

from featurizer.level.records import MINUTE_SECONDS
from featurizer.level.run import WINDOW, Run
from training.batch.columns import Flags, Floats, Ints, prefixed
from training.batch.seconds import Seconds
from training.batch.sums import Sums

Sum = tuple[Floats, Ints]
"""Sums and the numbers of their terms."""


class Squares:
    """Squares of the closed seconds' returns, and of the minutes that a run knew before."""

    __slots__ = ("_all", "_counts", "_minutes", "_own", "_returned", "_second", "_terms")

    def __init__(self, seconds: Seconds, run: Run) -> None:
        r = seconds.closed.log_return
        self._second, self._terms = seconds.closed.second, np.nan_to_num(r * r)
        self._own = Sums(self._terms)
        self._returned = prefixed(~np.isnan(r))
        prior = sorted(run.minutes.items())
        begun = seconds.closed.second[seconds.before - 1] if seconds.before else 0
        numbers, squares, counts = self._closed(int(begun) // MINUTE_SECONDS)
        self._minutes = np.concatenate([np.array([n for n, _ in prior], np.int64), numbers])
        known = np.array([minute.squares for _, minute in prior], np.float64)
        self._all = Sums(np.concatenate([self._terms, known, squares]))
        self._counts = prefixed(
            np.concatenate([np.array([m.n for _, m in prior], np.int64), counts])
        )

    def _closed(self, begun: int) -> tuple[Ints, Floats, Ints]:
        """Return number, sum and count of the minutes from ``begun`` on that have a slot."""
        minute = self._second // MINUTE_SECONDS
        numbers, first = np.unique(minute, return_index=True)
        first = first[numbers >= begun].astype(np.int64)
        end = np.append(first[1:], len(minute))[: len(first)]
        count = self._returned[end] - self._returned[first]
        return numbers[numbers >= begun], self._own.over((first, end)), count

    def within(self, at: Ints, seconds: int) -> Sum:
        """Return the sums over so many seconds before the slots ``at``."""
        first = np.searchsorted(self._second, self._second[at] - seconds)
        return self._own.over((first, at)), self._returned[at] - self._returned[first]

    def of_minutes(self, at: Ints, minutes: int) -> Sum:
        """Return those of so many minutes before the slots' own, and of these up to them."""
        minute = self._second[at] // MINUTE_SECONDS
        first = np.searchsorted(self._second, minute * MINUTE_SECONDS)
        begin, end = (np.searchsorted(self._minutes, m) for m in (minute - minutes, minute))
        n = self._returned[at] - self._returned[first] + self._counts[end] - self._counts[begin]
        offset = len(self._second)
        return self._all.over((first, at), (offset + begin, offset + end)), n

    def volatilities(self) -> Floats:
        """Return each slot's volatility of 60 s (log return), NaN where a return is missing."""
        at = np.arange(len(self._second))
        total, n = self.within(at, WINDOW - 1)
        whole: Flags = (n == WINDOW - 1) & (self._returned[1:] > self._returned[:-1])
        return np.where(whole, np.sqrt(total + self._terms), np.nan)

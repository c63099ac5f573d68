"""The features of chosen seconds as a matrix, by the definitions that make them one by one."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Final

import numpy as np

from featurizer.features import FEATURES, Feature
from featurizer.level.records import MINUTE_SECONDS
from featurizer.slots import MICROSECONDS
from featurizer.statistic import REALIZED_VOLATILITY, Return, Statistic, mean, volatility
from featurizer.windows import COVERAGE_WINDOW, LONGEST, RETURNS_WINDOW
from training.batch.columns import Floats, Ints, logs, prefixed
from training.batch.seconds import Seconds
from training.batch.squares import Squares, Sum
from training.batch.sums import Sums

Closed = Callable[[int], Sum]


def _volatility(total: Floats, n: Ints, window: int) -> Floats:
    return np.sqrt(window / n * total)


_BY_COLUMNS: Final[dict[Callable[..., float], Callable[..., Floats]]] = {
    mean: mean,  # type: ignore[dict-item]
    volatility: _volatility,
}
"""Values that numpy makes to the same bits; others are made one by one."""


def matrix(
    seconds: Seconds,
    squares: Squares,
    at: Ints,
    run_us: int,
    features: Sequence[Feature] = FEATURES,
) -> Floats:
    """Return [n, width] features of the last rows of the slots ``at``, NaN where unknown.

    ``run_us`` is the time of the feed's first event (epoch microseconds).
    """
    age = seconds.closed.second[at] - run_us // MICROSECONDS
    columns = dict[Statistic, "_Column"]()
    found = np.empty((len(at), len(features)))
    for k, feature in enumerate(features):
        if isinstance(feature.statistic, Return):
            found[:, k] = _returns(seconds, at, feature.window)
            continue
        if feature.statistic not in columns:
            columns[feature.statistic] = _Column(feature.statistic, seconds, squares, at)
        found[:, k] = columns[feature.statistic].values(feature.window, age)
    return found


class _Column:
    """One statistic: sums over closed slots, and the terms of the slots at their rows."""

    __slots__ = ("_at", "_own", "_statistic", "_sums")

    def __init__(self, statistic: Statistic, seconds: Seconds, squares: Squares, at: Ints) -> None:
        self._statistic, self._at = statistic, at
        term: Callable[[Any], Floats] = statistic.term  # type: ignore[assignment]
        self._own = term(seconds.at_rows)[at]
        self._sums: Closed
        if statistic is REALIZED_VOLATILITY:
            self._sums = partial(_squared, squares, at)
        else:
            self._sums = cache(_within(seconds.closed.second, term(seconds.closed), at))

    def values(self, window: int, age: Ints) -> Floats:
        """Return the feature of a window, ``age`` seconds after the feed began."""
        statistic = self._statistic
        if not statistic.with_now:
            return _known(statistic, *self._sums(window), age, window)
        total, n = self._sums(window if window > LONGEST else window - 1)
        has = ~np.isnan(self._own)
        total = np.where(has, total + self._own, total)
        return _known(statistic, total, n + has, age, window)


def _known(statistic: Statistic, total: Floats, n: Ints, age: Ints, window: int) -> Floats:
    known: Any = statistic.known
    at = np.flatnonzero(known(n, age, window))
    found = np.full(len(n), np.nan)
    value = _BY_COLUMNS.get(statistic.value) or partial(_one_by_one, statistic.value)
    found[at] = value(total[at], n[at], window)
    return found


def _one_by_one(value: Callable[..., float], total: Floats, n: Ints, window: int) -> Floats:
    pairs = zip(total.tolist(), n.tolist(), strict=True)
    return np.array([value(each, count, window) for each, count in pairs], np.float64)


def _squared(squares: Squares, at: Ints, seconds: int) -> Sum:
    if seconds > LONGEST:
        return squares.of_minutes(at, seconds // MINUTE_SECONDS - 1)
    return squares.within(at, seconds)


def _within(second: Ints, terms: Floats, at: Ints) -> Closed:
    """Return what gives the sums over so many seconds before the slots ``at``."""
    some = ~np.isnan(terms)
    sums, counts = Sums(np.where(some, terms, 0.0)), prefixed(some)

    def within(seconds: int) -> Sum:
        first = np.searchsorted(second, second[at] - seconds)
        return sums.over((first, at)), counts[at] - counts[first]

    return within


def _returns(seconds: Seconds, at: Ints, window: int) -> Floats:
    slots = seconds.closed
    then = np.searchsorted(slots.second, slots.second[at] - window)
    stands = slots.second[then] == slots.second[at] - window
    return logs(np.where(stands, slots.mid[at] / slots.mid[then], np.nan))


def coverage(seconds: Seconds, at: Ints) -> Floats:
    """Return the share of the last 300 seconds that have a slot, a row's own included."""
    second = seconds.closed.second
    first = np.searchsorted(second, second[at] - COVERAGE_WINDOW + 1)
    found: Floats = (at - first + 1) / COVERAGE_WINDOW
    return found


def returns(seconds: Seconds, at: Ints) -> Ints:
    """Return the number of returns in the last 60 seconds."""
    second, returned = seconds.closed.second, prefixed(~np.isnan(seconds.closed.log_return))
    first = np.searchsorted(second, second[at] - RETURNS_WINDOW + 1)
    own = ~np.isnan(seconds.at_rows.log_return[at])
    return returned[at] - returned[first] + own

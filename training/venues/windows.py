"""Realised volatility over the model's four windows, for many seconds at once.

The two short windows are the last W seconds; the two long ones the 14 or 59 epoch minutes before
a second's own, and its own up to it.
"""

from typing import Final

import numpy as np

from featurizer.level.records import MINUTE_SECONDS
from featurizer.slots import MICROSECONDS
from serving.relative import WINDOWS
from training.external.columns import Numbers
from training.external.trailing import rolling_sum, weighted_mean
from training.venues.leveled import NO_SLOT, LeveledSeconds

FEWEST_RETURNS: Final = 20
BY_MINUTES: Final = 900
"""Windows from this length on are of whole minutes, as the service keeps sums of these."""
LAMBDA: Final = 0.94
"""Of an exponentially weighted variance, a minute: RiskMetrics' of a step (J. P. Morgan, 1996)."""


def realized_volatilities(seconds: LeveledSeconds) -> Numbers:
    """Return sqrt(W/n · Σ r²) of each second over ``WINDOWS``, [n, 4], NaN where not known.

    Known is one from 20 returns on, once a third of the window has passed since ``run_us``.
    """
    known = ~np.isnan(seconds.log_return)
    squares = np.where(known, seconds.log_return, 0.0) ** 2
    counts = known.astype(np.float64)
    begun = seconds.second - seconds.run_us // MICROSECONDS
    columns = []
    for window in WINDOWS:
        total, n = (_sum(values, seconds, window) for values in (squares, counts))
        told = (n >= FEWEST_RETURNS) & (3 * begun >= window) & (seconds.status != NO_SLOT)
        columns.append(np.where(told, np.sqrt(window / np.maximum(n, 1.0) * total), np.nan))
    return np.column_stack(columns)


def weighted_volatility(seconds: LeveledSeconds) -> Numbers:
    """Return the exponentially weighted volatility of each second (log return over 60 s), [n]."""
    squares = weighted_mean(seconds.log_return**2, LAMBDA ** (1.0 / MINUTE_SECONDS))
    found: Numbers = np.sqrt(MINUTE_SECONDS * squares)
    return found


def _sum(values: Numbers, seconds: LeveledSeconds, window: int) -> Numbers:
    if window < BY_MINUTES:
        return rolling_sum(values, window)
    return _sum_by_minutes(values, int(seconds.second[0]), window)


def _sum_by_minutes(values: Numbers, first: int, window: int) -> Numbers:
    """Sum the minutes before each second's own, and its own up to it; ``first`` is its epoch."""
    before = first % MINUTE_SECONDS
    after = -(before + len(values)) % MINUTE_SECONDS
    minutes = np.pad(values, (before, after)).reshape(-1, MINUTE_SECONDS)
    reach = window // MINUTE_SECONDS
    whole = rolling_sum(np.append(0.0, minutes.sum(axis=1)[:-1]), reach - 1)
    found: Numbers = (whole[:, None] + np.cumsum(minutes, axis=1)).ravel()
    return found[before : before + len(values)]

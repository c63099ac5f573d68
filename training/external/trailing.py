"""Trailing windows over equal steps, NaN where a step is not known."""

from itertools import accumulate

import numpy as np

from training.external.columns import Numbers


def rolling_sum(values: Numbers, window: int) -> Numbers:
    """Return the sum over each step's last ``window`` steps, its own included.

    >>> sum_of_last(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [1.0, 3.0, 5.0]
    """
    padded = np.concatenate([np.zeros(window - 1), values])
    summed: Numbers = np.lib.stride_tricks.sliding_window_view(padded, window).sum(axis=1)
    return summed


def rolling_mean(values: Numbers, window: int) -> Numbers:
    """Return the mean over the known of the last ``window`` steps; NaN if fewer than half are.

    >>> mean_of_last(np.array([1.0, 3.0, np.nan, np.nan, np.nan]), 2).tolist()
    [1.0, 2.0, 3.0, nan, nan]
    """
    known = ~np.isnan(values)
    count = rolling_sum(known.astype(np.float64), window)
    total = rolling_sum(np.where(known, values, 0.0), window)
    return np.where(count >= window / 2, total / np.maximum(count, 1.0), np.nan)


def weighted_mean(values: Numbers, decay: float) -> Numbers:
    """Return the mean of the known steps so far, a step back weighing ``decay`` times as much.

    NaN before the first known one.

    >>> weighted_mean(np.array([np.nan, 1.0, np.nan, 4.0]), 0.5).tolist()
    [nan, 1.0, 1.0, 3.4]
    """
    known = ~np.isnan(values)
    total = _decayed(np.where(known, values, 0.0), decay)
    weight = _decayed(known.astype(np.float64), decay)
    found: Numbers = np.full(len(values), np.nan)
    return np.divide(total, weight, out=found, where=weight > 0.0)


def _decayed(values: Numbers, decay: float) -> Numbers:
    return np.array(list(accumulate(values.tolist(), lambda sum_, value: decay * sum_ + value)))

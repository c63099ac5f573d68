"""Trailing windows over equal steps, NaN where a step is not known."""

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

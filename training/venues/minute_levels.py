"""The month of Coinbase's minutes in units of its own level, as far as minutes can say it.

They hold no seconds: a minute's volatility is Parkinson's, ln(high/low) / (2 √ln 2), of traded
prices (Parkinson, The Extreme Value Method for Estimating the Variance of the Rate of Return,
1980).
Bins, week and status are the service's, a minute counting as the 60 seconds it has.
"""

from collections import Counter
from itertools import groupby
from math import log, sqrt
from pathlib import Path
from typing import Final

import numpy as np

from featurizer.level.histogram import Cells, Histogram, cell_of
from featurizer.level.level import level_of
from featurizer.level.records import BIN_SECONDS, DAY_SECONDS, MINUTE_SECONDS
from featurizer.level.run import BINS, DAYS
from serving.relative import WINDOWS
from training.external.columns import Numbers, Times
from training.external.minutes import read_minutes
from training.external.trailing import rolling_sum, weighted_mean
from training.venues.examples import Examples
from training.venues.windows import LAMBDA

PARKINSON: Final = 2.0 * sqrt(log(2.0))
KNOWN_SHARE: Final = 3
"""A window is known where a third of its minutes are."""


def read_minute_examples(path: Path) -> Examples:
    """Return the minutes that have an established level and a recorded minute after them.

    ``second`` is the last of its minute, ``ahead`` the volatility of the minute after it.

    Raises:
        DatasetError: names file, row, what was found and what was expected.
    """
    minutes = read_minutes(path)
    second = minutes.start * MINUTE_SECONDS + MINUTE_SECONDS - 1
    volatility = minutes.range / PARKINSON
    tau, windows = established_levels(second, volatility), _windows(volatility)
    ahead = np.append(volatility[1:], np.nan)
    at = ~np.isnan(tau) & ~np.isnan(ahead) & ~np.isnan(windows[:, 0])
    weighted = np.sqrt(weighted_mean(volatility**2, LAMBDA))
    day = (second // DAY_SECONDS).astype(np.int64)
    return Examples("Coinbase minutes", second, windows, weighted, tau, ahead, day).take(at)


def established_levels(second: Times, volatility: Numbers) -> Numbers:
    """Return τ in force for each minute, NaN where none is established."""
    numbers = second // BIN_SECONDS
    first = int(numbers[0])
    bins = {int(number): _cells(volatility[numbers == number]) for number in np.unique(numbers)}
    found = dict[int, float]()
    for today, of_day in groupby(bins, _first_bin_of_day):
        week = Histogram(_between(bins, max(first, today - DAYS * BINS), today))
        for number in of_day:
            day = Histogram(_between(bins, max(first, number - BINS), number))
            found[number] = _established(day, week)
    return np.array([found[number] for number in numbers.tolist()])


def _cells(volatility: Numbers) -> Cells:
    cells = Counter(cell_of(value) for value in volatility[~np.isnan(volatility)].tolist())
    return tuple((cell, MINUTE_SECONDS * count) for cell, count in sorted(cells.items()))


def _first_bin_of_day(number: int) -> int:
    return number // BINS * BINS


def _established(day: Histogram, week: Histogram) -> float:
    level = level_of(day, week, None)
    return level.tau if level.tau is not None and level.status == "established" else np.nan


def _between(bins: dict[int, Cells], first: int, end: int) -> list[Cells]:
    return [bins[number] for number in range(first, end) if number in bins]


def _windows(volatility: Numbers) -> Numbers:
    known = ~np.isnan(volatility)
    squares = np.where(known, volatility, 0.0) ** 2
    columns = []
    for window in WINDOWS:
        reach = window // MINUTE_SECONDS
        n, total = rolling_sum(known.astype(np.float64), reach), rolling_sum(squares, reach)
        value = np.sqrt(reach / np.maximum(n, 1.0) * total)
        columns.append(np.where(KNOWN_SHARE * n >= reach, value, np.nan))
    return np.column_stack(columns)

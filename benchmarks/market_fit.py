"""Compare the wandering market's volatility with a month of minutes.

``python -m benchmarks.market_fit MINUTES.csv.gz`` prints figures of the file and of eight seeds,
by the same reckoning on one return a minute, and the level that demos begin with.
"""

import csv
import gzip
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.volatility import DAY_S, Volatility

WINDOW: Final = 5
"""Minutes of a volatility, and of calm that end a spell and precede an onset."""
HELD: Final = 10
"""A level is in force for so many minutes, as the featurizer's bins are."""

Series = npt.NDArray[np.float64]
DAY: Final = 1_440
LAGS: Final = (5, 30, 240, DAY)
YEAR_MINUTES: Final = 525_960
DAYS: Final = 30


def returns_of(path: Path) -> Series:
    """Return the log returns by minute, NaN where a minute is missing."""
    with gzip.open(path, "rt") as lines:
        closes = {int(row["minute_epoch"]): float(row["close"]) for row in csv.DictReader(lines)}
    first = min(closes) // DAY * DAY
    every = [closes.get(minute, math.nan) for minute in range(first, max(closes) + 1)]
    return np.diff(np.log(every), prepend=math.nan)


def returns_made(seed: int, days: int = DAYS, product: str = "BTC-USD") -> Series:
    """Return log returns of a market by minute, from its volatility alone."""
    return np.fromiter(_returns(Volatility(seed, product), Random(seed), days), float)


def _returns(course: Volatility, random: Random, days: int) -> Iterator[float]:
    for minute in range(days * DAY):
        course.step(60.0)
        annual = course.annual(minute * 60.0 % DAY_S)
        yield annual / math.sqrt(YEAR_MINUTES) * random.gauss(0.0, 1.0)


def level_of_a_day(seed: int, product: str = "BTC-USD") -> float:
    """Return the P90 of the volatility over 60 seconds of a market's first day, second by second.

    Of its volatility alone, without the grid of prices and their spread.
    """
    course, random = Volatility(seed, product), Random(seed)
    squares = np.fromiter(_squares(course, random), float)
    sums = np.convolve(squares, np.ones(60), "valid")
    return float(np.sqrt(np.quantile(sums, 0.9)))


def _squares(course: Volatility, random: Random) -> Iterator[float]:
    for second in range(DAY_S):
        course.step(1.0)
        annual = course.annual(float(second))
        yield (annual / math.sqrt(YEAR_MINUTES * 60) * random.gauss(0.0, 1.0)) ** 2


def figures(returns: Series) -> dict[str, float]:
    """Return what the 5-minute volatility shows of days.

    The spread of its daily P90, onsets a day of it at one and two times the P90 of the 24 hours
    before, and its log's autocovariance.
    """
    windows = np.lib.stride_tricks.sliding_window_view(returns**2, WINDOW)
    volatility = np.full(len(returns), math.nan)
    volatility[WINDOW - 1 :] = np.sqrt(windows.mean(axis=1))
    volatility[volatility == 0] = math.nan
    found = {"P90, log sd between days": _spread(volatility)}
    ratio = volatility / levels(volatility)
    found |= {f"onsets a day, {k} times": onsets(ratio >= k, np.isfinite(ratio)) for k in (1, 2)}
    logs = _without_shape(np.log(volatility))
    return found | {
        f"autocovariance, {lag} min": float(np.nanmean(logs[:-lag] * logs[lag:])) for lag in LAGS
    }


def levels(volatility: Series) -> Series:
    """Return the P90 of the day before each ten minutes, NaN on the first day and in holes."""
    found = np.full(len(volatility), math.nan)
    for begin in range(DAY, len(volatility), HELD):
        before = volatility[begin - DAY : begin]
        if np.isfinite(before).sum() > DAY / 3:
            found[begin : begin + HELD] = np.nanquantile(before, 0.9)
    return found


def onsets(above: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> float:
    """Return onsets in a day of known minutes: the first one above after five below.

    >>> calm = np.zeros(720, dtype=bool)
    >>> above = np.concatenate([calm, [True, False, True], calm])
    >>> round(onsets(above, np.ones(len(above), dtype=bool)), 2)
    1.0
    """
    found, below = 0, 0
    for high in above[known]:
        found += bool(high and below >= WINDOW)
        below = 0 if high else below + 1
    return found * DAY / max(1, int(known.sum()))


def _spread(volatility: Series) -> float:
    days = volatility[: len(volatility) // DAY * DAY].reshape(-1, DAY)
    full = days[np.isfinite(days).sum(axis=1) > 2 * DAY / 3]
    return float(np.log(np.nanquantile(full, 0.9, axis=1)).std(ddof=1))


def _without_shape(logs: Series) -> Series:
    angle = 2 * np.pi * (np.arange(len(logs)) % DAY) / DAY
    waves = [wave(k * angle) for k in (1, 2) for wave in (np.cos, np.sin)]
    design = np.column_stack([np.ones(len(logs)), *waves])
    known = np.isfinite(logs)
    fitted, *_ = np.linalg.lstsq(design[known], logs[known], rcond=None)
    rest: Series = logs - design @ fitted
    return rest


if __name__ == "__main__":
    columns = [figures(returns_of(Path(sys.argv[1])))]
    columns += [figures(returns_made(seed)) for seed in range(1, 9)]
    lines = [f"{'':28}{'data':>8}{'market, least, mean and most of 8 seeds':>42}"]
    for name, value in columns[0].items():
        made = [column[name] for column in columns[1:]]
        of_seeds = f"{min(made):10.3f}{np.mean(made):10.3f}{max(made):10.3f}"
        lines.append(f"{name:28}{value:8.3f}{of_seeds}")
    levels_made = [level_of_a_day(seed) for seed in range(1, 9)]
    level = np.exp(np.mean(np.log(levels_made)))
    lines.append(f"P90 of 60 s on the first day, geometric mean of 8 seeds: {level}")
    sys.stdout.write("\n".join(lines) + "\n")

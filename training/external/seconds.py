"""Seconds of a foreign table on a grid, for evaluation only: their own columns, never FEATURES.

Such tables have one state a second, or prices without quotes, so no Tick can be made of them.
Volatility and label follow the definitions of features and labels, on the seconds' last mids.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.slots import MICROSECONDS
from training.data.thresholds import Flags
from training.external.columns import Numbers, Times
from training.external.trailing import mean_of_last, sum_of_last
from training.external.walk_forward import Rows

FLOOR: Final = 1e-6
"""Added before a log: 0.01 bps, a standing market's."""
LOOK_BACK: Final = 300


@dataclass(frozen=True, slots=True)
class Grid:
    """One product's seconds without holes; NaN where a second or a value is not known.

    ``second`` is the epoch second, ``mid`` the price that carries returns, ``spread`` a fraction
    of it, ``ticks`` how many came in the second, ``imbalance`` −1…1; ``joined`` is false where
    continuity was lost since the second before.
    """

    second: Times
    mid: Numbers
    spread: Numbers
    ticks: Numbers
    imbalance: Numbers
    joined: Flags

    def __len__(self) -> int:
        return len(self.second)


def grid_of(
    time_us: Times,
    mid: Numbers,
    *,
    bridge: int,
    spread: Numbers | None = None,
    ticks: Numbers | None = None,
    imbalance: Numbers | None = None,
) -> Grid:
    """Put rows in order of time on a grid: the last of a second counts.

    A silence of up to ``bridge`` seconds keeps what stood before; a longer one is a break.
    """
    second = time_us // MICROSECONDS
    last = np.append(np.diff(second) > 0, True)
    grid = np.arange(second[0], second[-1] + 1)
    at = np.searchsorted(second[last], grid, side="right") - 1
    age = grid - second[last][at]
    gap = np.diff(second[last], prepend=second[0])
    silent = np.append(gap[1:], 0)[at]
    known = (age == 0) | (silent <= bridge)

    def placed(values: Numbers | None) -> Numbers:
        if values is None:
            return np.full(len(grid), np.nan)
        return np.where(known, values[last][at], np.nan)

    return Grid(
        second=grid,
        mid=placed(mid),
        spread=placed(spread),
        ticks=_ticks(second, grid) if ticks is None else placed(ticks),
        imbalance=placed(imbalance),
        joined=~((age == 0) & (gap[at] > bridge)),
    )


def _ticks(second: Times, grid: Times) -> Numbers:
    return np.bincount(second - grid[0], minlength=len(grid)).astype(np.float64)


def returns_of(grid: Grid) -> Numbers:
    """Return r_k = ln(mid_k / mid_{k−1}); NaN where a mid is missing or k is not joined."""
    found = np.full(len(grid), np.nan)
    found[1:] = np.diff(np.log(grid.mid))
    found[~grid.joined] = np.nan
    return found


def volatility(grid: Grid, window: int) -> Numbers:
    """Return sqrt(W/n · Σ r²) of the last ``window`` seconds (log return), as FEATURES does."""
    found: Numbers = np.sqrt(window * mean_of_last(returns_of(grid) ** 2, window))
    return found


def volatility_ahead(grid: Grid) -> Numbers:
    """Return next 60 s' volatility of each second; NaN where one of their returns is missing."""
    squares = np.append(returns_of(grid)[1:] ** 2, np.full(HORIZON, np.nan))
    ahead = np.lib.stride_tricks.sliding_window_view(squares, HORIZON).sum(axis=1)
    found: Numbers = np.sqrt(ahead[: len(grid)])
    return found


def log_return(grid: Grid, window: int) -> Numbers:
    """Return ln(mid_s / mid_{s−W})."""
    found = np.full(len(grid), np.nan)
    found[window:] = np.log(grid.mid[window:] / grid.mid[:-window])
    return found


def _log(values: Numbers) -> Numbers:
    return np.asarray(np.log(values + FLOOR), np.float64)


GRID_COLUMNS: Final[dict[str, Callable[[Grid], Numbers]]] = {
    "log_volatility_60s": lambda grid: _log(volatility(grid, 60)),
    "log_volatility_300s": lambda grid: _log(volatility(grid, LOOK_BACK)),
    "log_move_60s": lambda grid: _log(np.abs(log_return(grid, 60))),
    "log_move_300s": lambda grid: _log(np.abs(log_return(grid, LOOK_BACK))),
    "log_spread_60s": lambda grid: _log(mean_of_last(grid.spread, 60)),
    "log_ticks_60s": lambda grid: np.log1p(mean_of_last(grid.ticks, 60)),
    "imbalance_60s": lambda grid: mean_of_last(grid.imbalance, 60),
}
"""What a model of these tables sees; a column that a table does not have is unknown."""


def grid_rows(grid: Grid) -> tuple[Rows, dict[str, int]]:
    """Return the rows with a label and 300 known seconds before, and what became of all seconds."""
    ahead = volatility_ahead(grid)
    known = ~np.isnan(grid.mid)
    full = sum_of_last(known.astype(np.float64), LOOK_BACK) == LOOK_BACK
    usable = known & full & ~np.isnan(ahead) & ~np.isnan(volatility(grid, 60))
    values = np.column_stack([column(grid) for column in GRID_COLUMNS.values()])
    time_us = (grid.second + 1) * MICROSECONDS
    counts = {
        "seconds": len(grid),
        "unknown": int((~known).sum()),
        "warming": int((known & ~full).sum()),
        "unlabelled": int((known & full & ~usable).sum()),
        "usable": int(usable.sum()),
    }
    rows = Rows(
        columns=tuple(GRID_COLUMNS),
        values=values[usable],
        time_us=time_us[usable],
        end_us=time_us[usable] + HORIZON * MICROSECONDS,
        now=volatility(grid, 60)[usable],
        ahead=ahead[usable],
    )
    return rows, counts


def largest(values: npt.NDArray[np.float64]) -> float | None:
    """Return the largest value, None of none."""
    return float(values.max()) if len(values) else None

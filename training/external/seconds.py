"""The seconds of an external table, for evaluation only: their own columns, never FEATURES.

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
from training.external.trailing import rolling_mean, rolling_sum
from training.external.walk_forward import ExternalRows

FLOOR: Final = 1e-6
"""Added before a log: 0.01 bps, a standing market's."""
LOOK_BACK: Final = 300


@dataclass(frozen=True, slots=True)
class SecondSeries:
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


def series_of(
    time_us: Times,
    mid: Numbers,
    *,
    bridge: int,
    spread: Numbers | None = None,
    ticks: Numbers | None = None,
    imbalance: Numbers | None = None,
) -> SecondSeries:
    """Return rows in order of time as seconds without holes: the last of a second counts.

    A silence of up to ``bridge`` seconds keeps what stood before; a longer one is a break.
    """
    second = time_us // MICROSECONDS
    last = np.append(np.diff(second) > 0, True)
    every = np.arange(second[0], second[-1] + 1)
    at = np.searchsorted(second[last], every, side="right") - 1
    age = every - second[last][at]
    gap = np.diff(second[last], prepend=second[0])
    silent = np.append(gap[1:], 0)[at]
    known = (age == 0) | (silent <= bridge)

    def placed(values: Numbers | None) -> Numbers:
        if values is None:
            return np.full(len(every), np.nan)
        return np.where(known, values[last][at], np.nan)

    return SecondSeries(
        second=every,
        mid=placed(mid),
        spread=placed(spread),
        ticks=_ticks(second, every) if ticks is None else placed(ticks),
        imbalance=placed(imbalance),
        joined=~((age == 0) & (gap[at] > bridge)),
    )


def _ticks(second: Times, every: Times) -> Numbers:
    return np.bincount(second - every[0], minlength=len(every)).astype(np.float64)


def returns_of(series: SecondSeries) -> Numbers:
    """Return r_k = ln(mid_k / mid_{k−1}); NaN where a mid is missing or k is not joined."""
    found = np.full(len(series), np.nan)
    found[1:] = np.diff(np.log(series.mid))
    found[~series.joined] = np.nan
    return found


def volatility(series: SecondSeries, window: int) -> Numbers:
    """Return sqrt(W/n · Σ r²) of the last ``window`` seconds (log return), as FEATURES does."""
    found: Numbers = np.sqrt(window * rolling_mean(returns_of(series) ** 2, window))
    return found


def volatility_ahead(series: SecondSeries) -> Numbers:
    """Return next 60 s' volatility of each second; NaN where one of their returns is missing."""
    squares = np.append(returns_of(series)[1:] ** 2, np.full(HORIZON, np.nan))
    ahead = np.lib.stride_tricks.sliding_window_view(squares, HORIZON).sum(axis=1)
    found: Numbers = np.sqrt(ahead[: len(series)])
    return found


def log_return(series: SecondSeries, window: int) -> Numbers:
    """Return ln(mid_s / mid_{s−W})."""
    found = np.full(len(series), np.nan)
    found[window:] = np.log(series.mid[window:] / series.mid[:-window])
    return found


def _log(values: Numbers) -> Numbers:
    return np.asarray(np.log(values + FLOOR), np.float64)


SECOND_COLUMNS: Final[dict[str, Callable[[SecondSeries], Numbers]]] = {
    "log_volatility_60s": lambda series: _log(volatility(series, 60)),
    "log_volatility_300s": lambda series: _log(volatility(series, LOOK_BACK)),
    "log_move_60s": lambda series: _log(np.abs(log_return(series, 60))),
    "log_move_300s": lambda series: _log(np.abs(log_return(series, LOOK_BACK))),
    "log_spread_60s": lambda series: _log(rolling_mean(series.spread, 60)),
    "log_ticks_60s": lambda series: np.log1p(rolling_mean(series.ticks, 60)),
    "imbalance_60s": lambda series: rolling_mean(series.imbalance, 60),
}
"""What a model of these tables sees; a column that a table does not have is unknown."""


def series_rows(series: SecondSeries) -> tuple[ExternalRows, dict[str, int]]:
    """Return the rows with a label and 300 known seconds before, and what became of all seconds."""
    ahead = volatility_ahead(series)
    known = ~np.isnan(series.mid)
    full = rolling_sum(known.astype(np.float64), LOOK_BACK) == LOOK_BACK
    usable = known & full & ~np.isnan(ahead) & ~np.isnan(volatility(series, 60))
    values = np.column_stack([column(series) for column in SECOND_COLUMNS.values()])
    time_us = (series.second + 1) * MICROSECONDS
    counts = {
        "seconds": len(series),
        "unknown": int((~known).sum()),
        "warming": int((known & ~full).sum()),
        "unlabelled": int((known & full & ~usable).sum()),
        "usable": int(usable.sum()),
    }
    rows = ExternalRows(
        columns=tuple(SECOND_COLUMNS),
        values=values[usable],
        time_us=time_us[usable],
        end_us=time_us[usable] + HORIZON * MICROSECONDS,
        now=volatility(series, 60)[usable],
        ahead=ahead[usable],
    )
    return rows, counts


def largest(values: npt.NDArray[np.float64]) -> float | None:
    """Return the largest value, None of none."""
    return float(values.max()) if len(values) else None

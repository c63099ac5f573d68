"""Months of minute rows: does the next minute's range reach the training part's 90th percentile?

These rows hold no quote and no seconds, so nothing here is one of ``FEATURES``: the columns are
made by a path of their own, evaluated by their own walk-forward, and never touch τ or a model that
is served. A minute without high and low was not recorded (its close is the one before,
unchanged): it is unknown, gives no row and no label, and is never bridged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.instant import text_of
from training.errors import DatasetError
from training.external.columns import Columns, Numbers, Times, read_columns
from training.external.trailing import rolling_mean
from training.external.walk_forward import ExternalRows, folds_between, part_lines, walk_forward

REQUIRED: Final = ("minute_epoch", "high", "low", "trades")
MINUTE_US: Final = 60_000_000
DAY_US: Final = 86_400_000_000
FIRST_DAYS: Final = 10
"""Days that are only learned from: a week's rhythm and a little more."""
PART_DAYS: Final = 7
BLOCK_US: Final = 6 * 60 * MINUTE_US
"""Volatility keeps its level for hours: intervals drawn over shorter blocks would be too tight."""
LONGEST: Final = 60
FLOOR: Final = 1e-6
"""Added before a log: 0.01 bps, below the range of all but a standing minute."""
BPS: Final = 1e4


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes without holes, NaN where not recorded.

    ``range`` is ln(high/low) of a minute, ``trades`` its trades, ``start`` its epoch minute.
    """

    file: str
    start: Times
    range: Numbers
    trades: Numbers


def read_minutes(path: Path) -> Minutes:
    """Read minute rows, with those not recorded as NaN.

    Raises:
        DatasetError: names file, row and reason: a column missing, rows out of order or repeated,
            a price that is no price, high below low, or nothing recorded.
    """
    columns = read_columns(path, REQUIRED)
    epoch = columns.numbers("minute_epoch").astype(np.int64)
    columns.in_order("minute_epoch", epoch, strictly=True)
    high, low = columns.numbers("high", known=False), columns.numbers("low", known=False)
    columns.refuse((low <= 0) | (np.isnan(high) != np.isnan(low)), "low", "a price beside high")
    columns.refuse(high < low, "high", "at least the low")
    trades = columns.numbers("trades", known=False)
    columns.refuse(trades < 0, "trades", "a count of trades")
    if np.isnan(high).all():
        raise DatasetError(f"{path.name}, row 1: found no minute with trades, expected some")
    return _by_minute(columns, epoch, np.log(high / low), trades)


def _by_minute(columns: Columns, epoch: Times, ranges: Numbers, trades: Numbers) -> Minutes:
    length = int(epoch[-1] - epoch[0]) + 1
    if length > 100 * len(epoch):
        raise DatasetError(
            f"{columns.file}, row {len(epoch)}: found minute {epoch[-1]}, expected one nearer the"
            f" first, {epoch[0]}"
        )
    values = np.full((2, length), np.nan)
    values[:, epoch - epoch[0]] = ranges, trades
    return Minutes(columns.file, np.arange(epoch[0], epoch[-1] + 1), values[0], values[1])


def _log_range(window: int) -> Callable[[Minutes], Numbers]:
    return lambda minutes: np.log(rolling_mean(minutes.range, window) + FLOOR)


def _log_trades(window: int) -> Callable[[Minutes], Numbers]:
    return lambda minutes: np.log1p(rolling_mean(minutes.trades, window))


def _hour(turn: Callable[[npt.NDArray[np.float64]], Any]) -> Callable[[Minutes], Numbers]:
    return lambda minutes: np.asarray(turn(2 * np.pi * (minutes.start % 1440) / 1440), np.float64)


MINUTE_COLUMNS: Final[dict[str, Callable[[Minutes], Numbers]]] = {
    "log_range_1m": _log_range(1),
    "log_range_5m": _log_range(5),
    "log_range_15m": _log_range(15),
    "log_range_60m": _log_range(LONGEST),
    "log_trades_1m": _log_trades(1),
    "log_trades_15m": _log_trades(15),
    "day_sine": _hour(np.sin),
    "day_cosine": _hour(np.cos),
}
"""Ranges over four horizons as HAR has them, how busy it is, and the time of day (UTC)."""


def minute_rows(minutes: Minutes) -> ExternalRows:
    """Return a row for each minute that is known and whose next minute is known.

    A row stands at its minute's end; its label is known a minute later.
    """
    ahead = np.concatenate([minutes.range[1:], [np.nan]])
    usable = ~np.isnan(minutes.range) & ~np.isnan(ahead)
    values = np.column_stack([column(minutes) for column in MINUTE_COLUMNS.values()])
    time_us = (minutes.start + 1) * MINUTE_US
    return ExternalRows(
        columns=tuple(MINUTE_COLUMNS),
        values=values[usable],
        time_us=time_us[usable],
        end_us=time_us[usable] + MINUTE_US,
        now=minutes.range[usable],
        ahead=ahead[usable],
    )


def part_starts(time_us: Times) -> list[tuple[str, int]]:
    """Return the parts to be tested: ``PART_DAYS`` days each, the first after ``FIRST_DAYS``."""
    first, last = int(time_us[0]) // DAY_US, int(time_us[-1]) // DAY_US
    starts = range(first + FIRST_DAYS, last + 1, PART_DAYS)
    return [(_days(day, min(day + PART_DAYS - 1, last)), day * DAY_US) for day in starts]


def _days(first: int, last: int) -> str:
    return f"{text_of(first * DAY_US)[:10]} to {text_of(last * DAY_US)[:10]}"


def evaluate_minutes(path: Path) -> dict[str, Any]:
    """Return the walk-forward figures of a file of minute rows.

    Raises:
        DatasetError: names file, row and reason if the file cannot be used, or is too short.
    """
    minutes = read_minutes(path)
    rows = minute_rows(minutes)
    starts = part_starts(rows.time_us) if len(rows) else []
    folds = folds_between(rows, starts, LONGEST * MINUTE_US)
    if not folds:
        raise DatasetError(
            f"{minutes.file}, row {len(minutes.start)}: found the end after {len(rows)} usable"
            f" minutes, expected more than {FIRST_DAYS} days"
        )
    found = walk_forward(rows, folds, BLOCK_US)
    if found["pooled"] is None:
        raise DatasetError(
            f"{minutes.file}, rows 1 to {len(minutes.start)}: found a single class in every"
            " training part, expected ranges that vary"
        )
    return {
        "file": minutes.file,
        "question": "next minute's ln(high/low) reaches the training part's 90th percentile",
        "first": text_of(int(rows.time_us[0])),
        "last": text_of(int(rows.time_us[-1])),
        "minutes": len(minutes.start),
        "minutes_recorded": int((~np.isnan(minutes.range)).sum()),
        "rows": len(rows),
        "columns": list(rows.columns),
        "protocol": f"first {FIRST_DAYS} days learned from, then parts of {PART_DAYS} days tested"
        f" by all before; purged by 1 min, embargoed by {LONGEST} min; intervals of 95 % over"
        " blocks of 6 h",
        **found,
    }


def minute_lines(found: dict[str, Any]) -> list[str]:
    """Return the walk-forward figures as lines for a reader."""
    return [
        f"{found['file']}: {found['rows']} usable of {found['minutes']} minutes"
        f" ({found['minutes_recorded']} recorded), {found['first']} to {found['last']}",
        f"  question: {found['question']}",
        f"  protocol: {found['protocol']}",
        *part_lines(found),
    ]

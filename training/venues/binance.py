"""Binance: two days of XRPUSDT, 2026-03-28 to 2026-03-29, to the millisecond, with trade ids.

Silence says nothing here, as the market is thin; ids say what is missing.
"""

from pathlib import Path
from typing import Final

import numpy as np

from featurizer.slots import MICROSECONDS
from training.data.thresholds import Flags
from training.external.columns import Times
from training.venues.trades import Trades, Venue, trade_columns, trades_of

MOST_MISSING: Final = 20
"""A few ids are missing where one order met several; that many are trades nobody wrote down."""
MOST_SECONDS: Final = 3
"""A jump within three seconds moves no return by more than a second or two would."""


def read_binance(path: Path) -> Trades:
    """Read Binance's trades; a jump of ids is a break where it takes time as well.

    Raises:
        DatasetError: names file, row, what was found and what was expected.
    """
    columns = trade_columns(path, "trade_id")
    ids = columns.numbers("trade_id").astype(np.int64)
    columns.in_order("trade_id", ids, strictly=True)
    columns.refuse(columns.numbers("size") <= 0, "size", "a size above 0")
    jump = np.diff(ids, prepend=ids[0]) > MOST_MISSING

    def broken(time_us: Times) -> Flags:
        found: Flags = jump & (np.diff(time_us, prepend=time_us[0]) > MOST_SECONDS * MICROSECONDS)
        return found

    return trades_of(columns, broken)


BINANCE: Final = Venue(
    name="Binance",
    product="XRP-USDT",
    file="binance_xrpusdt_trades_20260328_2days.parquet",
    source="quantiota/SKA-quantitative-finance",
    licence="CC BY-NC-ND 4.0",
    read=read_binance,
)

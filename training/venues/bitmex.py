"""BitMEX: four days of the perpetual XBTUSD, 2018-01-01 to 2018-01-05, to the millisecond.

Nothing is missing: the longest silence lasts 42 s, so a longer one than a minute is refused
as no part of these days.
"""

from pathlib import Path
from typing import Final

from featurizer.slots import MICROSECONDS
from training.venues.trades import Trades, Venue, silent_for, trade_columns, trades_of

LONGEST_SILENCE: Final = 60


def read_bitmex(path: Path) -> Trades:
    """Read BitMEX's trades; their size is negative where the taker sold.

    Raises:
        DatasetError: names file, row, what was found and what was expected.
    """
    columns = trade_columns(path)
    trades = trades_of(columns, silent_for(LONGEST_SILENCE))
    columns.refuse(
        trades.broken, "time_us", f"a trade within {LONGEST_SILENCE} s of the one before"
    )
    columns.refuse(columns.numbers("size") == 0, "size", "contracts, signed by the taker's side")
    columns.refuse(trades.time_us % (MICROSECONDS // 1000) != 0, "time_us", "whole milliseconds")
    return trades


BITMEX: Final = Venue(
    name="BitMEX",
    product="XBT-USD",
    file="bitmex_xbtusd_trades_20180101_4days.parquet",
    source="crate trade_aggregation, data of BitMEX",
    licence="AGPL-3.0",
    read=read_bitmex,
)

"""BTC-e: seven days of BTCUSD, 2017-07-14 to 2017-07-21, in whole seconds.

Several trades share a second, in the order of the file; its prices bounce between bid and ask.
"""

from pathlib import Path
from typing import Final

from featurizer.slots import MICROSECONDS
from training.venues.trades import Trades, Venue, silent_for, trade_columns, trades_of

LONGEST_SILENCE: Final = 180
"""Seconds; what is silent for longer was away."""


def read_btce(path: Path) -> Trades:
    """Read BTC-e's trades.

    Raises:
        DatasetError: names file, row, what was found and what was expected.
    """
    columns = trade_columns(path)
    trades = trades_of(columns, silent_for(LONGEST_SILENCE))
    columns.refuse(columns.numbers("size") < 0, "size", "a size of 0 or more")
    columns.refuse(trades.time_us % MICROSECONDS != 0, "time_us", "whole seconds")
    return trades


BTCE: Final = Venue(
    name="BTC-e",
    product="BTC-USD",
    file="btce_btcusd_trades_20170714_7days.parquet",
    source="philipperemy/bitcoin-market-data, a mirror of bitcoincharts",
    licence="none stated",
    read=read_btce,
)

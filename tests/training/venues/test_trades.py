"""Trades as a feed would have told them: a Tick or a Beat for each second, and the Breaks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ingestor.tick import Beat, Break, Event, Tick, decode, encode
from training.errors import DatasetError
from training.venues.trades import Trades, events_of, silent_for, trade_columns, trades_of

Write = Callable[[pd.DataFrame], Path]


def events(*trades: tuple[float, float], silence: int = 10) -> list[Event]:
    """Return the events of trades at these seconds and prices."""
    time_us = np.array([int(at * 1_000_000) for at, _ in trades])
    price = np.array([price for _, price in trades])
    return list(events_of(Trades(time_us, price, silent_for(silence)(time_us)), "v@f", "BTC-USD"))


def test_the_last_trade_of_a_second_is_its_tick_and_silent_seconds_have_a_beat() -> None:
    """Seconds 100: two trades, 101: none, 102: one."""
    found = events((100.2, 7.0), (100.9, 8.0), (102.0, 9.0))
    assert [(type(e), e.time_us) for e in found] == [
        (Tick, 100_900_000),
        (Beat, 101_999_999),
        (Tick, 102_000_000),
    ]
    assert [e.mid for e in found if not isinstance(e, Break)] == [8.0, 8.0, 9.0]


def test_before_a_long_silence_ends_there_is_a_break_and_no_beat() -> None:
    """The silence of 11 s is one."""
    found = events((100.0, 7.0), (111.0, 8.0))
    assert [type(e) for e in found] == [Tick, Break, Tick]
    assert found[1].time_us == found[2].time_us


def test_events_are_what_the_topic_would_hold() -> None:
    """Each is read back as it was written."""
    found = events((100.0, 7.0), (102.0, 7.5), (140.0, 8.0))
    assert [decode(encode(event)) for event in found] == found


@pytest.mark.parametrize(
    ("column", "row", "value", "said"),
    [
        ("time_us", 1, 5, "row 2: found 5 in time_us, expected rows in time order"),
        ("time_us", 0, 0, "row 1: found 0 in time_us, expected epoch microseconds"),
        ("price", 2, 0.0, "row 3: found 0.0 in price, expected a price above 0"),
        ("price", 2, np.nan, "row 3: found nan in price, expected a finite number"),
        ("size", 1, np.inf, "row 2: found inf in size, expected a finite number"),
    ],
)
def test_what_is_no_trade_is_refused(
    written: Write, column: str, row: int, value: float, said: str
) -> None:
    """The refusal names file, row, what was found and what was expected."""
    frame = pd.DataFrame({"time_us": [10, 20, 30], "price": [1.0, 2.0, 3.0], "size": [1.0] * 3})
    frame.loc[row, column] = value
    with pytest.raises(DatasetError, match=f"trades.parquet, {said}"):
        trades_of(trade_columns(written(frame)), silent_for(10))


def test_a_missing_column_is_named(written: Write) -> None:
    """The header lacks it."""
    with pytest.raises(DatasetError, match="header: found no size, trade_id, expected them"):
        trade_columns(written(pd.DataFrame({"time_us": [1], "price": [1.0]})), "trade_id")

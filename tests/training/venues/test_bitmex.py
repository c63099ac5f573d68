"""BitMEX's form: milliseconds, signed contracts, no hole."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from training.errors import DatasetError
from training.venues.bitmex import read_bitmex

Write = Callable[[pd.DataFrame], Path]


def table() -> pd.DataFrame:
    """Three trades, one of them a sale."""
    times = [1_000_000_000, 1_000_001_000, 1_060_001_000]
    return pd.DataFrame({"time_us": times, "price": [9.0, 9.5, 9.0], "size": [10.0, -5.0, 1.0]})


def test_a_silence_of_a_minute_is_none(written: Write) -> None:
    """All three hang together."""
    assert read_bitmex(written(table())).broken.tolist() == [False] * 3


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("time_us", 1_061_002_000, "row 3: .* in time_us, expected a trade within 60 s"),
        ("time_us", 1_060_000_001, "row 3: .* in time_us, expected whole milliseconds"),
        ("size", 0.0, "row 3: found 0.0 in size, expected contracts"),
    ],
)
def test_what_these_days_do_not_have_is_refused(
    written: Write, column: str, value: float, said: str
) -> None:
    """The refusal names file, row, what was found and what was expected."""
    frame = table()
    frame.loc[2, column] = value
    with pytest.raises(DatasetError, match=said):
        read_bitmex(written(frame))

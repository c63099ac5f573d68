"""BTC-e's form: whole seconds, several trades in one, a break after three minutes of silence."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from training.errors import DatasetError
from training.venues.btce import read_btce

Write = Callable[[pd.DataFrame], Path]


def table() -> pd.DataFrame:
    """Two trades in one second, one 180 s later, one 181 s after that."""
    times = [1_000_000_000, 1_000_000_000, 1_180_000_000, 1_361_000_000]
    return pd.DataFrame({"time_us": times, "price": 9.0, "size": [0.0, 1.0, 2.0, 3.0]})


def test_more_than_three_minutes_of_silence_are_a_break(written: Write) -> None:
    """180 s are none, 181 s are one."""
    assert read_btce(written(table())).broken.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("time_us", 1_361_000_001, "row 4: .* in time_us, expected whole seconds"),
        ("size", -1.0, "row 4: found -1.0 in size, expected a size of 0 or more"),
    ],
)
def test_what_these_days_do_not_have_is_refused(
    written: Write, column: str, value: float, said: str
) -> None:
    """The refusal names file, row, what was found and what was expected."""
    frame = table()
    frame.loc[3, column] = value
    with pytest.raises(DatasetError, match=said):
        read_btce(written(frame))

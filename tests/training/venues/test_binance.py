"""Binance's form: ids say what is missing, silence does not."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from training.errors import DatasetError
from training.venues.binance import read_binance

Write = Callable[[pd.DataFrame], Path]


def table() -> pd.DataFrame:
    """Ids and seconds: 1 at 0, 2 at 400, 22 at 404, 43 at 407, 64 at 411."""
    times = [second * 1_000_000 for second in (1, 401, 405, 408, 412)]
    ids = [1, 2, 22, 43, 64]
    return pd.DataFrame({"time_us": times, "price": 9.0, "size": 1.0, "trade_id": ids})


def test_a_jump_of_more_than_twenty_ids_in_more_than_three_seconds_is_a_break(
    written: Write,
) -> None:
    """20 ids in 4 s and 21 in 3 s are none, 21 in 4 s are one, 400 s of silence are none."""
    assert read_binance(written(table())).broken.tolist() == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("trade_id", 43, "row 5: found 43 in trade_id, expected a time after|row 5: found 43"),
        ("size", 0.0, "row 5: found 0.0 in size, expected a size above 0"),
    ],
)
def test_what_these_days_do_not_have_is_refused(
    written: Write, column: str, value: float, said: str
) -> None:
    """The refusal names file, row, what was found and what was expected."""
    frame = table()
    frame.loc[4, column] = value
    with pytest.raises(DatasetError, match=said):
        read_binance(written(frame))

"""A tensor becomes rows, or says where it is wrong."""

from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.features import NAMES
from serving.errors import TensorError
from serving.tensor import rows_of

WIDTH = len(NAMES)
one_row = st.lists(
    st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=WIDTH, max_size=WIDTH
)


@settings(deadline=None)
@given(rows=st.lists(one_row, min_size=1, max_size=5))
def test_flat_and_nested_data_are_the_same_rows(rows: list[list[float | None]]) -> None:
    """V2 allows both forms; both give the rows that were meant."""
    flat = [value for row in rows for value in row]
    assert rows_of("features", "FP64", [len(rows), WIDTH], rows) == rows
    assert rows_of("features", "FP64", [len(rows), WIDTH], flat) == rows


def test_nan_stays_unknown() -> None:
    """NaN, which gRPC uses for null, passes as it is."""
    (row,) = rows_of("features", "FP64", [1, WIDTH], [nan] + [0.0] * 11)
    assert row[0] is not None
    assert isnan(row[0])


def test_whole_numbers_become_floats() -> None:
    """JSON writes 1.0 as 1; it is the same number."""
    (row,) = rows_of("features", "FP64", [1, WIDTH], [1, None] + [0.5] * 10)
    assert row[:2] == [1.0, None]
    assert type(row[0]) is float


GOOD: dict[str, Any] = {
    "name": "features",
    "datatype": "FP64",
    "shape": [2, WIDTH],
    "data": [0.0] * 24,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "x"}, "found an input 'x', expected 'features'"),
        ({"datatype": "FP32"}, "datatype FP32, expected FP64"),
        ({"shape": [2, 11]}, r"shape \[2, 11\], expected \[n, 12\]"),
        ({"shape": [24]}, r"shape \[24\]"),
        ({"shape": [0, 12], "data": []}, r"shape \[0, 12\]"),
        ({"shape": [-1, 12]}, r"shape \[-1, 12\]"),
        ({"data": [0.0] * 23}, "23 values, expected 24"),
        ({"data": [[0.0] * 24]}, "not 2 rows of 12 values"),
        ({"data": [[0.0] * 12, 0.0]}, "not 2 rows of 12 values"),
        ({"data": [0.0] * 13 + [inf] + [0.0] * 10}, "row 1, log_return_60s: found inf"),
        ({"data": [0.0] * 23 + ["1"]}, "row 1, price_velocity_300s: found '1'"),
        ({"data": [True] + [0.0] * 23}, "row 0, realized_volatility_60s: found True"),
        ({"data": [0, 10**400] + [0.0] * 22}, "row 0, log_return_60s: found 1000"),
    ],
)
def test_wrong_tensor_says_where(change: dict[str, Any], message: str) -> None:
    """Each way to be wrong has a message that names the place."""
    with pytest.raises(TensorError, match=message):
        rows_of(**(GOOD | change))

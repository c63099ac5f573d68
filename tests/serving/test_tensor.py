"""A tensor becomes rows, or says where it is wrong."""

from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.features import NAMES, REQUIRED
from serving.errors import TensorError
from serving.tensor import WITHOUT_TAU, columns_of, rows_of, width_for

WIDTH = len(NAMES)
WIDEST = width_for(WIDTH, tau=True)
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
    (row,) = rows_of("features", "FP64", [1, WIDTH], [nan, *[0.0] * (WIDTH - 1)])
    assert row[0] is not None
    assert isnan(row[0])


def test_whole_numbers_become_floats() -> None:
    """JSON writes 1.0 as 1; it is the same number."""
    (row,) = rows_of("features", "FP64", [1, WIDTH], [1, None, *[0.5] * (WIDTH - 2)])
    assert row[:2] == [1.0, None]
    assert type(row[0]) is float


ZEROS: list[Any] = [0.0] * 2 * WIDTH


def put(place: int, value: Any) -> list[Any]:
    """Two rows of zeros with another value in one place."""
    values = list(ZEROS)
    values[place] = value
    return values


@pytest.mark.parametrize("features", range(len(REQUIRED), WIDTH + 1))
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_a_client_of_before_sends_fewer_columns(features: int, nested: bool) -> None:
    """Any width there ever was is taken; what came later is unknown."""
    width = width_for(features)
    rows = [[float(n + k) for k in range(width)] for n in range(3)]
    data: list[Any] = rows if nested else [value for row in rows for value in row]
    found = rows_of("features", "FP64", [3, width], data)
    unknown = [None] * (WIDTH - features)
    assert found == [[*row[:features], *unknown, *row[features:]] for row in rows]


@pytest.mark.parametrize("tau", [0.0006, None])
def test_the_last_column_of_a_wide_tensor_is_the_level(tau: float | None) -> None:
    """Fourteen features and τ are 15 columns, whatever is appended to the features later."""
    sent = columns_of([*[0.5] * WIDTH, tau], WITHOUT_TAU + 1)
    assert sent == [*[0.5] * WITHOUT_TAU, tau]
    (row,) = rows_of("features", "FP64", [1, len(sent)], sent)
    assert row == [*[0.5] * WITHOUT_TAU, *[None] * (WIDTH - WITHOUT_TAU), tau]


def test_a_row_without_a_level_says_so() -> None:
    """Where τ is not known here, null is sent for it; NaN is no level either."""
    assert columns_of([0.5] * WIDTH, WITHOUT_TAU + 1)[-1] is None
    assert columns_of([*[0.5] * WIDTH, nan], WITHOUT_TAU + 1)[-1] is None
    assert columns_of([0.5] * WIDTH, 12) == [0.5] * 12


@pytest.mark.parametrize("tau", [0.0, -0.001, inf, "1"])
def test_a_level_that_is_none_is_named(tau: Any) -> None:
    """τ is a finite number above 0, null or NaN."""
    with pytest.raises(TensorError, match="row 0, tau: found"):
        rows_of("features", "FP64", [1, WIDEST], [*[0.5] * (WIDEST - 1), tau])


GOOD: dict[str, Any] = {
    "name": "features",
    "datatype": "FP64",
    "shape": [2, WIDTH],
    "data": ZEROS,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "x"}, "found an input 'x', expected 'features'"),
        ({"datatype": "FP32"}, "datatype FP32, expected FP64"),
        ({"shape": [2, 11]}, r"shape \[2, 11\], expected \[n, 12"),
        ({"shape": [2, WIDEST + 1]}, rf"expected \[n, .*{WIDEST}\] with"),
        ({"shape": [2 * WIDTH]}, rf"shape \[{2 * WIDTH}\]"),
        ({"shape": [0, WIDTH], "data": []}, rf"shape \[0, {WIDTH}\]"),
        ({"shape": [-1, WIDTH]}, rf"shape \[-1, {WIDTH}\]"),
        ({"data": ZEROS[1:]}, f"{2 * WIDTH - 1} values, expected {2 * WIDTH}"),
        ({"data": [ZEROS]}, f"not 2 rows of {WIDTH} values"),
        ({"data": [[0.0] * WIDTH, 0.0]}, f"not 2 rows of {WIDTH} values"),
        ({"data": put(WIDTH + 1, inf)}, "row 1, log_return_60s: found inf"),
        ({"data": put(-1, "1")}, f"row 1, {NAMES[-1]}: found '1'"),
        ({"data": put(0, True)}, "row 0, realized_volatility_60s: found True"),
        ({"data": [0, *put(1, 10**400)[1:]]}, "row 0, log_return_60s: found 1000"),
    ],
)
def test_wrong_tensor_says_where(change: dict[str, Any], message: str) -> None:
    """Each way to be wrong has a message that names the place."""
    with pytest.raises(TensorError, match=message):
        rows_of(**(GOOD | change))

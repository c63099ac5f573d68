"""Cells of equal ratio, and the 90th percentile as an edge."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurizer.level.histogram import CELLS, EDGES, OVERFLOW, UNDERFLOW, Histogram, cell_of


def test_edges_are_the_nearest_numbers_to_their_formula() -> None:
    """1e-7 · 2^(k/32), computed with fifty digits and rounded once."""
    with localcontext() as context:
        context.prec = 50
        exact = [Decimal("1e-7") * Decimal(2) ** (Decimal(k) / 32) for k in range(CELLS + 1)]
    assert list(EDGES) == pytest.approx([float(edge) for edge in exact], rel=2.3e-16)
    assert (EDGES[0], len(EDGES)) == (1e-7, 641)
    assert EDGES[32] == 2e-7


def test_an_edge_belongs_to_the_cell_above() -> None:
    """The upper edge of a cell is not in it: τ is above all that is counted below."""
    assert [cell_of(EDGES[k]) for k in (0, 1, 639)] == [1, 2, 640]
    assert (cell_of(0.0), cell_of(9.9e-8)) == (UNDERFLOW, UNDERFLOW)
    assert cell_of(EDGES[640]) == cell_of(1.0) == OVERFLOW


def test_p90_is_the_upper_edge_of_the_cell_that_reaches_nine_tenths() -> None:
    """Of 10 counts the ninth decides, of 11 the tenth (⌈9.9⌉)."""
    assert Histogram([((5, 9), (70, 1))]).p90() == EDGES[5]
    assert Histogram([((5, 9), (70, 2))]).p90() == EDGES[70]
    assert Histogram([((5, 8), (70, 2))]).p90() == EDGES[70]
    assert Histogram([((UNDERFLOW, 9), (70, 1))]).p90() == 1e-7


def test_there_is_none_of_nothing_and_none_beyond_the_cells() -> None:
    """The overflow cell has no upper edge."""
    assert Histogram().p90() is None
    assert Histogram([((5, 89), (OVERFLOW, 11))]).p90() is None
    assert Histogram([((5, 90), (OVERFLOW, 10))]).p90() == EDGES[5]


def test_what_lies_below_is_in_lower_cells() -> None:
    """The cell of the volatility itself is not below it."""
    counted = Histogram([((5, 9), (70, 1))])
    assert [counted.below(EDGES[cell]) for cell in (3, 4, 5, 70)] == [0, 0, 9, 10]


@given(st.lists(st.floats(0, 0.2), max_size=60), st.randoms())
def test_order_does_not_show(values: list[float], random_: object) -> None:
    """Counts added in any order, and taken away again, are equal."""
    one, other = Histogram(), Histogram()
    for value in values:
        one.count(cell_of(value))
    for value in sorted(values):
        other.add(((cell_of(value), 1),))
    assert one == other and one.n == len(values)
    assert sum(count for _, count in one.cells) == len(values)
    one.add(other.cells, times=-1)
    assert one == Histogram() and one.cells == () and one.zeros == 0


@given(st.lists(st.floats(1e-7, 0.1), min_size=1, max_size=200))
def test_p90_is_at_most_a_cell_above_the_exact_one(values: list[float]) -> None:
    """The nearest-rank percentile lies in the cell whose edge is taken."""
    counted = Histogram()
    for value in values:
        counted.count(cell_of(value))
    exact = sorted(values)[-(-9 * len(values) // 10) - 1]
    p90 = counted.p90()
    assert p90 is not None and exact < p90 <= exact * 2 ** (1 / 32) * (1 + 1e-12)

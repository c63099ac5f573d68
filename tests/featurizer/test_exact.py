"""Running sums have the bits of ``math.fsum``, whatever was added and taken before."""

from itertools import chain, repeat
from math import fsum, inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.exact import Exact, Trailing

TINY, HUGE = 5e-324, 1e300
ANY = st.floats(-HUGE, HUGE)
MARKET = st.floats(0, 1e-4).map(lambda r: r * r) | st.floats(-1, 1) | st.integers(0, 500).map(float)
TIES = (1.0, 1 + 2.0**-52, 2.0**53, 2.0**53 + 2, -(2.0**53))
LIMITS = (2.0**-1022, 2.0**-512, 2.0**-513, 2.0**512, HUGE, -HUGE)
EDGES = st.sampled_from([0.0, -0.0, TINY, -TINY, 3 * TINY, 1e-16, *TIES, *LIMITS])
TERM = st.one_of(st.none(), ANY, MARKET, EDGES)


def known(terms: list[float | None]) -> list[float]:
    """Leave out places without a term."""
    return [term for term in terms if term is not None]


def check(terms: list[float | None], reaches: tuple[int, ...]) -> None:
    """Compare each sum after each push with ``fsum`` over the window's terms, to the bit."""
    trailing = Trailing(reaches)
    for end, term in enumerate(terms, start=1):
        trailing.push(term)
        windows = [known(terms[max(0, end - reach) : end]) for reach in reaches]
        found = [(total.hex(), n) for total, n in trailing.sums()]
        assert found == [(fsum(window).hex(), len(window)) for window in windows]


@settings(deadline=None)
@given(
    st.lists(TERM, min_size=1, max_size=60),
    st.lists(st.integers(1, 20), min_size=1, max_size=3).map(tuple),
)
def test_trailing_sums_are_those_of_fsum(
    terms: list[float | None], reaches: tuple[int, ...]
) -> None:
    """Any terms, gaps, subnormals and spreads, over any windows: equal bits and counts."""
    check(terms, reaches)


@given(st.lists(MARKET | st.none(), min_size=20, max_size=200))
def test_terms_of_a_market_keep_coarse_units(terms: list[float | None]) -> None:
    """Spreads, squares, imbalances and counts need no more than the fast way has."""
    check(terms, (7, 19))


def test_a_thousand_windows_of_a_long_stream_have_equal_bits() -> None:
    """Nothing gathers: the last window is as exact as the first."""
    state, terms = 1, list[float | None]()
    for _ in range(3_000):
        state = state * 6_364_136_223_846_793_005 % 2**64
        terms.append(None if state % 7 == 0 else ((state >> 11) / 2**53) ** (1 + state % 40))
    check(terms, (29, 299))


def test_what_was_huge_leaves_nothing_behind() -> None:
    """A float sum would have lost the small terms beside a huge one."""
    trailing = Trailing((2,))
    for term in (1e-9, 1e17, 3e-9, 4e-9):
        trailing.push(term)
    assert trailing.sums() == [(fsum([3e-9, 4e-9]), 2)]


def test_ties_go_to_even() -> None:
    """Half a unit of the last place is rounded as IEEE 754 says, up and down."""
    half = 2.0**-53
    assert Exact([1.0, half]).value == 1.0
    assert Exact([1.0 + 2 * half, half]).value == 1.0 + 4 * half
    assert Exact([1.0, half, TINY]).value == 1.0 + 2 * half


@given(st.lists(ANY | EDGES | MARKET, max_size=30), st.lists(ANY | EDGES | MARKET, max_size=30))
def test_two_sums_together_are_rounded_once(first: list[float], second: list[float]) -> None:
    """Their sum is that of all terms, however fine the units of either are."""
    expected = fsum(chain(first, second)).hex()
    assert Exact(first).plus(Exact(second)).hex() == expected
    assert Exact(second).plus(Exact(first)).hex() == expected
    assert Exact(chain(first, second)).value.hex() == expected


@pytest.mark.parametrize("term", [nan, inf, -inf])
def test_a_term_is_finite(term: float) -> None:
    """What is no number cannot be taken out again, so it does not come in."""
    for units in (1.0, TINY):
        with pytest.raises((ValueError, OverflowError)):
            Exact([units, term])


def test_a_sum_beyond_all_floats_is_said() -> None:
    """As with ``fsum``, and the sum is right again once the terms have left."""
    trailing = Trailing((3,))
    for term in repeat(1.7e308, 3):
        trailing.push(term)
    with pytest.raises(OverflowError):
        trailing.sums()
    for term in (1.0, 2.0, 3.0):
        trailing.push(term)
    assert trailing.sums() == [(6.0, 3)]

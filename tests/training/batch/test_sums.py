"""Sums by columns have the bits of ``math.fsum``."""

from math import fsum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.batch.columns import logs
from training.batch.sums import Sums

ANY = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
SMALL = st.floats(0.0, 1e-6)
NEAR = st.sampled_from([1.0, -1.0, 2.0**-53, -(2.0**-53), 2.0**-54, 1 + 2.0**-52, 2.0**53, 0.0])


def stretches(terms: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """All stretches of so many terms, empty ones included."""
    ends = [(a, b) for a in range(len(terms) + 1) for b in range(a, len(terms) + 1)]
    first, end = np.array(ends, np.int64).T
    return first, end


@given(st.lists(ANY, max_size=12) | st.lists(SMALL, max_size=12) | st.lists(NEAR, max_size=12))
def test_every_stretch_has_the_bits_of_fsum(terms: list[float]) -> None:
    """Whatever the sizes and signs, and where half a unit decides."""
    first, end = stretches(terms)
    found = Sums(np.array(terms, np.float64)).over((first, end))
    assert found.tolist() == [fsum(terms[a:b]) for a, b in zip(first, end, strict=True)]


@given(st.lists(NEAR | SMALL | ANY, min_size=2, max_size=8))
def test_several_stretches_are_rounded_once(terms: list[float]) -> None:
    """A sum of two stretches is not that of two rounded sums."""
    first, end = stretches(terms)
    found = Sums(np.array(terms, np.float64)).over((first, end), (end * 0, first))
    assert found.tolist() == [fsum(terms[:b]) for b in end.tolist()]


def test_long_columns_do_not_overflow() -> None:
    """A hundred thousand terms of a market's sizes, over windows as they slide."""
    terms = np.random.default_rng(1).normal(0.0, 1e-4, 100_000) ** 2
    end = np.arange(300, len(terms), 997)
    found = Sums(terms).over((end - 300, end))
    assert found.tolist() == [fsum(terms[b - 300 : b]) for b in end.tolist()]
    assert Sums(terms).over((end * 0, end)).tolist() == [fsum(terms[:b]) for b in end.tolist()]


def test_logarithms_are_those_of_the_engine() -> None:
    """Those of the standard library, to the bit; of unknown they are unknown."""
    assert logs(np.array([2.0, 1.0])).tolist() == [0.6931471805599453, 0.0]
    assert np.isnan(logs(np.array([np.nan]))).all()
    with pytest.raises(ValueError, match="domain"):
        logs(np.array([-1.0]))

"""The conditions of the states, for one second and for arrays of them."""

from math import nan

import numpy as np
import pytest

from signals.rules import DECAY, FROZEN, is_reached, smooth


def test_half_of_a_score_is_left_after_a_minute() -> None:
    """From 1 down to 0: after 60 seconds at 0.5."""
    smoothed = 1.0
    for _ in range(60):
        smoothed = smooth(smoothed, 0.0)
    assert smoothed == pytest.approx(0.5, abs=1e-12)
    assert pytest.approx(2 ** (-1 / 60), abs=1e-16) == DECAY


@pytest.mark.parametrize("is_over", [FROZEN.spike_is_over, FROZEN.elevated_is_over])
def test_an_exit_needs_score_and_volatility(is_over: object) -> None:
    """Low in both ends a run; an unknown volatility ends none."""
    assert callable(is_over)
    low, high = 0.1, 0.3
    found = [is_over(s, v, 1.0, 0.5) for s in (low, high) for v in (0.7, 1.7, nan)]
    assert found == [True, False, False, False, False, False]


def test_arrays_are_taken_as_seconds_are() -> None:
    """Each condition gives for an array what it gives for its members."""
    values = np.array([0.1, 0.2, 0.3, nan])
    for is_over in (FROZEN.spike_is_over, FROZEN.elevated_is_over):
        each = [is_over(v, v, 0.2, 0.5) for v in values.tolist()]
        assert is_over(values, values, 0.2, 0.5).tolist() == each
    assert is_reached(values, 0.1, 2).tolist() == [False, True, True, False]

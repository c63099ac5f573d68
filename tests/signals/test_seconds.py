"""Seconds from arrays are those that the machine steps."""

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.machine import Machine
from signals.seconds import Columns, Seconds, smoothed
from tests.signals.world import FIRST, columns, row, rows, stream


def seconds(*taken: object) -> Seconds:
    """The seconds of these predictions."""
    return Seconds.of(columns(taken))  # type: ignore[arg-type]


def test_a_second_has_its_last_row_until_the_next() -> None:
    """Rows at 0, 0 and 3: three seconds with the values of the second row; 3 is under way."""
    found = seconds(row(0, 0.1), row(0, 0.3, trade_id=2), row(3, 0.5))
    assert (found.first, len(found), found.covered.all()) == (FIRST, 3, True)
    assert found.smoothed.tolist() == pytest.approx([0.3] * 3)


@pytest.mark.parametrize(
    ("second", "more", "covered"),
    [
        (3, {}, [True, True, True]),
        (3, {"after_break": True}, [True, False, False]),
        (1, {"after_break": True}, [True]),
        (10, {}, [True] * 10),
        (11, {}, [True] + [False] * 10),
    ],
)
def test_holes_are_blind(second: int, more: dict[str, object], covered: list[bool]) -> None:
    """As between two predictions that the machine takes."""
    found = seconds(row(0), row(second, **more))  # type: ignore[arg-type]
    assert found.covered.tolist() == covered
    assert np.isnan(found.tau).tolist() == [not each for each in covered]


def test_a_null_score_is_blind() -> None:
    """Until the next row, and so is one without ``severe``."""
    found = seconds(row(0), row(1, None), row(3), row(4, 0.5, None), row(6))
    assert found.covered.tolist() == [True, False, False, True, False, False]


def test_nothing_has_no_seconds() -> None:
    """Neither no rows, nor one, whose second is under way."""
    assert len(seconds()) == len(seconds(row(5))) == 0


def test_smoothing_begins_anew_after_blind() -> None:
    """The first score after NaN is itself."""
    found = smoothed(np.array([0.2, 0.4, nan, 0.6]))
    assert found[0] == 0.2 and isnan(found[2]) and found[3] == 0.6


def test_which_seconds_are_at_tau() -> None:
    """τ for level 1, 2τ for level 2; a blind second never."""
    found = seconds(*(row(k, realized_volatility_60s=v * 1e-3) for k, v in enumerate((1, 2, 3))))
    assert [found.reached(level).tolist() for level in (1, 2)] == [[True, True], [False, True]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_smoothed_scores_are_those_of_the_machine(seed: int) -> None:
    """To the bit, and blind where it is blind."""
    taken = stream(seed, 300)
    found, machine = Seconds.of(columns(taken)), Machine()
    for offset, one in enumerate(taken):
        machine.take(one, offset)
        at = machine.state.last.second - found.first - 1  # type: ignore[union-attr]
        if at >= 0 and machine.state.since_us >= 0:
            expected = machine.state.smoothed
            assert expected == found.smoothed[at] if found.covered[at] else expected is None


def test_rows_can_be_taken() -> None:
    """All columns together."""
    two: Columns = columns(rows(range(5))).take(np.array([1, 3]))
    assert (two.second - FIRST).tolist() == [1, 3] and len(two.after_break) == 2

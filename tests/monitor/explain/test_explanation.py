"""What a person reads, and what a program does."""

import json

from monitor.explain.checks import compared
from monitor.explain.explanation import Explanation, Standing, encode, lines
from tests.monitor.explain.test_checks import EVENTS, MADE, OUTCOME, ROW


def told(stored: float) -> Explanation:
    """An explanation with one value that was recomputed as 0.5."""
    return Explanation(
        prediction=MADE,
        row=ROW,
        ticks=EVENTS[:3],
        standing=Standing(seconds=40, share_below=0.25),
        outcome=OUTCOME,
        checks={"row": [compared("coverage", stored, 0.5)]},
    )


def test_what_differs_is_named_in_both() -> None:
    """In the last line and in the JSON."""
    assert list(lines(told(0.5)))[-1] == "all that is known is equal"
    assert list(lines(told(0.25)))[-1] == "differing: row: coverage"
    assert "  coverage: DIFFERS, found 0.25, expected 0.5" in list(lines(told(0.25)))
    assert json.loads(encode(told(0.25)))["differing"] == ["row: coverage"]


def test_the_level_is_told_with_its_quantile() -> None:
    """And without one where nothing was counted."""
    assert any("above 25.0 % of the last day's 40 seconds" in line for line in lines(told(0.5)))

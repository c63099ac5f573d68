"""What a person reads, and what a program does."""

import json

from msgspec.structs import replace

from monitor.explain.checks import compared
from monitor.explain.explanation import Explanation, Standing, encode, lines
from signals.state import Run, State
from tests.monitor.explain.test_checks import EVENTS, MADE, OUTCOME, ROW

RUN = Run(signal_id="a1", level=1, start_us=5, tau_entry=1e-3)
STATE = State(mode="elevated", detail="", since_us=5, smoothed=0.5, elevated=RUN)


def told(stored: float) -> Explanation:
    """An explanation with one value that was recomputed as 0.5."""
    return Explanation(
        prediction=MADE,
        row=ROW,
        ticks=EVENTS[:3],
        standing=Standing(seconds=40, share_below=0.25),
        outcome=OUTCOME,
        state=STATE,
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


def test_the_state_is_told_with_its_runs() -> None:
    """And with its reason, or as unknown."""
    wanted = "state elevated since 5, smoothed score 0.5; run a1 of level 1"
    assert wanted in list(lines(told(0.5)))
    blind = "state blind (start) since -1, smoothed score none; no run"
    assert blind in list(lines(replace(told(0.5), state=State())))
    assert "state at its second unknown" in list(lines(replace(told(0.5), state=None)))


def test_what_is_equal_and_large_is_not_spelt_out() -> None:
    """A run is equal, or it differs and is shown."""
    same = replace(told(0.5), checks={"state": [compared("elevated", RUN, RUN)]})
    assert "  elevated: equal" in list(lines(same))
    other = replace(told(0.5), checks={"state": [compared("elevated", RUN, None)]})
    assert any("DIFFERS, found {" in line and "a1" in line for line in lines(other))

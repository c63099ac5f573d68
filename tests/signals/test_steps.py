"""Seconds one by one: what is told, and the verdict of a run."""

import pytest

from signals.events import Change, End, Event, Verdict
from signals.rules import AFTER
from signals.state import Run, State
from signals.steps import SETTLED, close, outcome_of, step, step_blind, step_hole
from tests.signals.world import FIRST, SECOND, TAU, row

WILD = (0.9, 0.8)
HIGH = {"realized_volatility_60s": 1.5 * TAU}


def test_a_start_tells_of_its_runs() -> None:
    """The change names both runs, which begin in this second."""
    state, [told] = step(State(mode="calm", detail=""), FIRST, row(0, *WILD))
    assert isinstance(told, Change) and told.time_us == FIRST * SECOND == state.since_us
    assert [run.level for run in told.started] == [1, 2]
    assert (told.elevated, told.spike) == tuple(run.signal_id for run in state.runs)


def run_of(second: int, **high: float) -> tuple[State, int]:
    """A spike's state in its second 200, and the second after its end."""
    state, _ = step(State(mode="calm", detail=""), FIRST, row(0, *WILD, **high))
    for k in range(1, 61):
        state, told = step(state, FIRST + k, row(k, 0.9, 0.0))
    assert isinstance(told[-1], End) and told[-1].run.level == 2
    return state, FIRST + 61


@pytest.mark.parametrize(
    ("at", "outcome"), [(None, "false"), (1, "true"), (AFTER - 1, "true"), (AFTER, "false")]
)
def test_a_verdict_comes_120_seconds_after_the_end(at: int | None, outcome: str) -> None:
    """A second at 2τ up to then makes it true; the next one is too late."""
    state, second = run_of(0)
    told: list[Event] = []
    for k in range(AFTER + 2):
        high = {"realized_volatility_60s": 2 * TAU} if k == at else {}
        state, more = step(state, second + k, row(0, 0.9, 0.0, **high))
        told += more
    [verdict] = [event for event in told if isinstance(event, Verdict)]
    assert verdict.time_us == (second + AFTER - 1) * SECOND
    assert verdict.outcome == outcome


def test_level_one_is_judged_by_tau_itself() -> None:
    """1.5τ is true for level 1 and says nothing of level 2."""
    state, _ = step(State(mode="calm", detail=""), FIRST, row(0, *WILD))
    state, _ = step(state, FIRST + 1, row(1, *WILD, **HIGH))
    assert [run.reached for run in state.runs] == [True, False]
    began, _ = step(State(mode="calm", detail=""), FIRST, row(0, *WILD, **HIGH))
    assert [run.already_there for run in began.runs] == [True, False]


def test_blind_seconds_are_told_once() -> None:
    """A change with the first, another with another reason; runs are held and not shown ended."""
    state, _ = step(State(mode="calm", detail=""), FIRST, row(0, *WILD))
    state, [first] = step_blind(state, FIRST + 1, "gap")
    state, more = step_blind(state, FIRST + 2, "gap")
    state, [other] = step_blind(state, FIRST + 3, "thin")
    assert isinstance(first, Change) and isinstance(other, Change) and more == []
    assert first.elevated == other.elevated is not None
    assert len(state.runs) == 2 and all(run.blinded for run in state.runs)


def test_a_hole_is_its_seconds() -> None:
    """However long, as if each was taken; what is longer than all that count is jumped over."""
    begun, _ = step(State(mode="calm", detail=""), FIRST, row(0, *WILD))
    for length in (1, 30, SETTLED + 50):
        state, told = begun, list[Event]()
        for k in range(1, length + 1):
            state, more = step_blind(state, FIRST + k, "gap")
            told += more
        assert step_hole(begun, FIRST + 1, FIRST + length, "gap") == (state, told)


def test_closing_judges_all() -> None:
    """Runs that last end, and none is left without a verdict."""
    state, second = run_of(0)
    told = close(state, second)
    assert [type(event) for event in told] == [End, Verdict, Verdict]


@pytest.mark.parametrize(
    ("already_there", "reached", "blinded", "outcome"),
    [
        (True, True, True, "already_there"),
        (False, True, True, "true"),
        (False, False, True, "cut"),
        (False, False, False, "false"),
    ],
)
def test_outcomes(already_there: bool, reached: bool, blinded: bool, outcome: str) -> None:
    """Begun there goes first; what was seen counts before what was not."""
    run = Run(
        signal_id="i",
        level=1,
        start_us=0,
        tau_entry=TAU,
        already_there=already_there,
        reached=reached,
        blinded=blinded,
    )
    assert outcome_of(run) == outcome

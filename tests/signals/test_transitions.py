"""From state to state, by the thresholds: what enters, what leaves, what is held."""

from dataclasses import replace as changed

import pytest

from signals.rules import FROZEN
from signals.state import State
from signals.transitions import Values, follow
from tests.signals.world import FIRST, TAU, row

CALM = State(mode="calm", detail="")


def values(smoothed: float = 0.05, severe: float = 0.01, rv: float = 0.3) -> Values:
    """A second with these scores, and a volatility in units of τ."""
    made = Values.of(row(0, realized_volatility_60s=rv * TAU), FIRST, None)
    return changed(made, smoothed=smoothed, severe=severe)


def after(state: State, *seconds: Values) -> State:
    """The state after these seconds."""
    for each in seconds:
        state = follow(state, each)
    return state


ELEVATED = after(CALM, values(0.25))
SPIKE = after(CALM, values(0.1, 0.3))
FACT = after(CALM, values(0.1, 0.3, rv=2.0))


@pytest.mark.parametrize(
    ("second", "mode", "detail"),
    [
        (values(0.249, 0.299), "calm", ""),
        (values(0.25, 0.299), "elevated", ""),
        (values(0.0, 0.3), "spike", "outlook"),
        (values(0.0, 0.3, rv=1.999), "spike", "outlook"),
        (values(0.0, 0.3, rv=2.0), "spike", "fact"),
        (values(0.249, 0.299, rv=5.0), "calm", ""),
    ],
)
def test_entering(second: Values, mode: str, detail: str) -> None:
    """At θe elevated, at θs a spike; the volatility alone enters nothing, it says the cause."""
    found = follow(CALM, second)
    assert (found.mode, found.detail) == (mode, detail)


def test_a_spike_from_calm_begins_both_levels() -> None:
    """Two runs, two ids; from elevated on, only the second."""
    assert SPIKE.elevated is not None and SPIKE.spike is not None
    assert SPIKE.elevated.signal_id != SPIKE.spike.signal_id
    later = after(ELEVATED, values(0.25, 0.3))
    assert later.mode == "spike" and later.elevated == ELEVATED.elevated


@pytest.mark.parametrize(
    ("state", "quiet", "lasting", "left"),
    [
        (SPIKE, values(0.9, 0.149, rv=1.59), FROZEN.spike_lasting, "elevated"),
        (ELEVATED, values(0.149, 0.0, rv=0.79), FROZEN.elevated_lasting, "calm"),
    ],
)
def test_leaving_takes_its_time(state: State, quiet: Values, lasting: int, left: str) -> None:
    """Score and volatility below for so many seconds running, and not one less."""
    held = after(state, *[quiet] * (lasting - 1))
    assert held.mode == state.mode
    assert follow(held, quiet).mode == left


@pytest.mark.parametrize(
    ("state", "quiet", "loud"),
    [
        (SPIKE, values(0.9, 0.1, rv=1.0), values(0.9, 0.15, rv=1.0)),
        (SPIKE, values(0.9, 0.1, rv=1.0), values(0.9, 0.1, rv=1.6)),
        (ELEVATED, values(0.1, 0.0, rv=0.5), values(0.15, 0.0, rv=0.5)),
        (ELEVATED, values(0.1, 0.0, rv=0.5), values(0.1, 0.0, rv=0.8)),
    ],
)
def test_one_loud_second_begins_the_wait_anew(state: State, quiet: Values, loud: Values) -> None:
    """Both conditions have to hold, without a break."""
    assert after(state, *[quiet] * 40, loud).quiet_seconds == 0
    assert after(state, *[quiet] * 40).quiet_seconds == 40


def test_the_wait_of_a_level_begins_with_it() -> None:
    """Quiet in a spike says nothing yet of elevated: 60 seconds, then 120 more."""
    quiet = values(0.0, 0.0, rv=0.1)
    first = after(SPIKE, *[quiet] * 60)
    assert (first.mode, first.quiet_seconds) == ("elevated", 0)
    assert [after(first, *[quiet] * n).mode for n in (119, 120)] == ["elevated", "calm"]


def test_volatility_is_in_units_of_tau_at_the_start() -> None:
    """A level that rises during a run does not end it."""
    high = changed(values(0.0, 0.0, rv=1.7), tau=2 * TAU)
    assert after(SPIKE, *[high] * 200).mode == "spike"


BLIND = {"mode": "blind", "detail": "gap", "smoothed": None, "blind_seconds": 5}


@pytest.mark.parametrize(
    ("state", "second", "mode", "kept"),
    [
        (SPIKE, values(0.05, 0.15), "spike", 2),
        (SPIKE, values(0.05, 0.0, rv=1.6), "spike", 2),
        (SPIKE, values(0.16, 0.0, rv=0.1), "elevated", 1),
        (SPIKE, values(0.05, 0.0, rv=0.1), "calm", 0),
        (ELEVATED, values(0.15, 0.0, rv=0.1), "elevated", 1),
        (ELEVATED, values(0.05, 0.0, rv=0.8), "elevated", 1),
        (ELEVATED, values(0.05, 0.0, rv=0.1), "calm", 0),
        (CALM, values(0.2, 0.1, rv=0.9), "calm", 0),
    ],
)
def test_what_a_blind_stretch_leaves(state: State, second: Values, mode: str, kept: int) -> None:
    """The runs that their exit conditions do not end in its first second; timers aside."""
    found = follow(_blinded(state), second)
    assert (found.mode, found.quiet_seconds) == (mode, 0)
    assert found.runs == state.runs[:kept]


def _blinded(state: State) -> State:
    return State(elevated=state.elevated, spike=state.spike, **BLIND)  # type: ignore[arg-type]


def test_a_kept_spike_has_the_cause_it_began_with() -> None:
    """Whatever the volatility is now."""
    assert follow(_blinded(FACT), values(0.2, 0.3, rv=1.0)).detail == "fact"


def test_what_is_not_kept_is_entered_anew() -> None:
    """Held elevated, and now a spike: level 1 goes on if it is kept, else both begin here."""
    kept = follow(_blinded(ELEVATED), values(0.2, 0.3))
    assert kept.mode == "spike" and kept.elevated == ELEVATED.elevated
    anew = follow(_blinded(ELEVATED), changed(values(0.05, 0.3, rv=0.1), second=FIRST + 9))
    assert anew.mode == "spike" and anew.elevated is not None
    assert anew.elevated.start_us == (FIRST + 9) * 1_000_000

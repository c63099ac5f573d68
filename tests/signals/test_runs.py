"""Runs from arrays are those of the machine, which is the one definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.events import Change, Verdict
from signals.machine import Machine
from signals.row import Row, Thresholds
from signals.rules import Hysteresis
from signals.runs import Runs, elevated_runs, outcomes, spike_runs
from signals.seconds import Seconds
from signals.state import Level, Run
from tests.signals.world import (
    FIRST,
    TAU,
    THETA,
    columns,
    happened,
    played,
    row,
    rows,
    stream,
    with_theta,
)

THETAS = st.sampled_from([Thresholds(e, s) for e in (0.1, 0.25, 0.5) for s in (0.05, 0.3, 0.6)])
WILD = (0.9, 0.8)


def of_machine(taken: list[Row], level: Level) -> tuple[list[Run], dict[str, str]]:
    """The runs that a machine finds, with their ends, and the verdicts there are."""
    machine = Machine()
    told = happened(played(taken, machine))
    runs = {r.signal_id: r for e in told if isinstance(e, Change) for r in e.started}
    runs |= {e.run.signal_id: e.run for e in told if not isinstance(e, Change)}
    verdicts = {e.run.signal_id: e.outcome for e in told if isinstance(e, Verdict)}
    return [run for run in runs.values() if run.level == level], verdicts


def assert_agreed(taken: list[Row], theta: Thresholds) -> None:
    """Compare starts, ends and verdicts of both levels."""
    taken = with_theta(taken, theta)
    seconds = Seconds.of(columns(taken))
    spikes = spike_runs(seconds, theta.spike)
    found: dict[Level, Runs] = {1: elevated_runs(seconds, theta, spikes), 2: spikes}
    for level, mine in found.items():
        runs, verdicts = of_machine(taken, level)
        theirs = Runs.of(runs, seconds)
        assert mine.start.tolist() == theirs.start.tolist()
        assert mine.end.tolist() == theirs.end.tolist()
        judged = [verdicts.get(run.signal_id, "open") for run in runs]
        assert outcomes(mine, seconds, level).tolist() == judged


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), THETAS)
@pytest.mark.exhaustive
def test_they_are_those_of_the_machine(seed: int, theta: Thresholds) -> None:
    """Over holes of every length, whatever the thresholds."""
    assert_agreed(stream(seed, 900), theta)


@pytest.mark.parametrize("hole", [1, 30, 900, 901, 2_000])
@pytest.mark.parametrize("after", [(), WILD, (0.35, 0.32), (0.1, 0.0)])
@pytest.mark.parametrize("theta", [Thresholds(0.25, 0.3), Thresholds(0.6, 0.3)])
def test_they_agree_behind_a_hole(hole: int, after: tuple[float, ...], theta: Thresholds) -> None:
    """Kept, dropped or begun anew; and where nothing comes any more than one row."""
    before = rows(range(20), 0.9, 0.1) + rows(range(20, 30), *WILD)
    behind = 30 + hole
    broken = [row(behind, *after, after_break=True)]
    for taken in (before, before[:20]):
        assert_agreed(taken + broken, theta)
        assert_agreed(taken + broken + rows(range(behind + 1, behind + 300), *after), theta)


@pytest.mark.parametrize("length", [900, 1_001, 1_023, 1_024, 1_025, 2_050])
def test_they_agree_on_long_runs(length: int) -> None:
    """Wherever the last loud second of a run lies in what is looked at together."""
    assert_agreed(rows(range(length), *WILD) + rows(range(length, length + 900)), THETA)


def test_they_agree_on_what_is_over() -> None:
    """Wherever the seconds end: the run lasts, its verdict is open, or it has one."""
    taken = rows(range(5)) + rows(range(5, 6), 0.31, 0.3) + rows(range(6, 400))
    for last in (50, 66, 67, 68, 184, 185, 186, 187, 188, 300, 310):
        assert_agreed(taken[:last], THETA)


def test_a_spike_is_inside_of_what_is_elevated() -> None:
    """Seconds in a spike are seconds of level 1 too, and those after it for two minutes."""
    taken = rows(range(5)) + rows(range(5, 20), *WILD) + rows(range(20, 900))
    seconds = Seconds.of(columns(taken))
    spikes = spike_runs(seconds, 0.3)
    elevated = elevated_runs(seconds, Thresholds(0.25, 0.3), spikes)
    assert (spikes.start.tolist(), spikes.end.tolist()) == ([5], [79])
    assert elevated.start.tolist() == [5] and elevated.end[0] >= 79 + 120
    assert not (spikes.on(seconds) & ~elevated.on(seconds)).any()


def test_a_long_run_is_followed_through() -> None:
    """An hour of panic is one run, and so is one that still lasts."""
    seconds = Seconds.of(columns(rows(range(5_000), *WILD) + rows(range(5_000, 5_200))))
    assert spike_runs(seconds, 0.3).end.tolist() == [5_059]
    lasting = Seconds.of(columns(rows(range(3_000), *WILD)))
    assert spike_runs(lasting, 0.3).end.tolist() == [len(lasting)]


def test_stretches_and_ages() -> None:
    """on     . x x . x    stretches 1-3 and 4-5, with the seconds since their start."""
    runs = Runs.where(np.array([False, True, True, False, True]))
    assert (runs.start.tolist(), runs.end.tolist()) == ([1, 4], [3, 5])
    assert runs.age(5).tolist() == [-1, 0, 1, -1, 0]
    assert Runs.where(np.zeros(3, np.bool_)).age(3).tolist() == [-1, -1, -1]


def test_blind_seconds_of_a_run_are_not_in_state() -> None:
    """A run that is held over a hole is not in state in it."""
    taken = rows(range(10), *WILD) + rows(range(50, 60), *WILD)
    seconds = Seconds.of(columns(taken))
    assert spike_runs(seconds, 0.3).on(seconds).sum() == 19 == seconds.covered.sum()


@pytest.mark.parametrize(
    ("high", "until", "outcome"),
    [(None, 400, "false"), (30, 400, "true"), (5, 400, "already_there"), (None, 150, "open")],
)
def test_outcomes(high: int | None, until: int, outcome: str) -> None:
    """By the seconds at τ; a run whose 120 s are not over yet has none."""
    taken = [
        row(k, *(WILD if k == 5 else ()), realized_volatility_60s=(2 if k == high else 0.1) * TAU)
        for k in range(until)
    ]
    seconds = Seconds.of(columns(taken))
    assert seconds.first == FIRST
    assert outcomes(spike_runs(seconds, 0.3), seconds, 2).tolist() == [outcome]


def test_other_rules_can_be_asked_for() -> None:
    """A wait of 10 s instead of 60 ends a spike 50 s earlier; the budgets take them, too."""
    seconds = Seconds.of(columns(rows(range(20), *WILD) + rows(range(20, 900))))
    short = Hysteresis(spike_lasting=10, elevated_lasting=20)
    assert spike_runs(seconds, 0.3).end.tolist() == [79]
    spikes = spike_runs(seconds, 0.3, short)
    assert spikes.end.tolist() == [29]
    default, other = (
        elevated_runs(seconds, THETA, spikes, rules) for rules in (Hysteresis(), short)
    )
    assert other.end[0] == default.end[0] - 100

"""What a second adds to the counts of a level, and when an onset is told."""

import pytest

from signals.events import Onset
from signals.state import Level, Past, Run, Watched
from signals.transitions import Values
from signals.watch import watch
from tests.signals.world import FIRST, SECOND, TAU, row

QUIET = Past(volatility=0.3 * TAU, tau=TAU, elevated=Watched(quiet_seconds=300))
"""After 300 covered seconds below τ."""


def values(second: int, volatility: float = 0.3, tau: float = 1.0) -> Values:
    """Return the values of a covered second: RV60 and τ in units of ``TAU``."""
    made = row(second, realized_volatility_60s=volatility * TAU, tau=tau * TAU)
    return Values.of(made, FIRST + second, None)


def run(second: int, level: Level = 1) -> Run:
    """Return a run that began in a second."""
    return Run(signal_id="r", level=level, start_us=(FIRST + second) * SECOND, tau_entry=TAU)


def onset(watched: Watched, second: int, standing: Run | None) -> Onset | None:
    """Return what is told of a calm second."""
    past = Past(volatility=0.3 * TAU, tau=TAU, elevated=watched)
    return watch(1, past, standing, FIRST + second, values(second))[1]


def test_a_crossing_after_five_calm_minutes_is_an_onset() -> None:
    """Told at once where a run stands, with its lead."""
    watched, told = watch(1, QUIET, run(-7), FIRST, values(0, 1.2))
    assert told is not None and (told.lead_seconds, told.signal_id) == (7, "r")
    assert (watched.onset_us, watched.reached, watched.crossings) == (-1, 1, 1)
    assert watched.quiet_seconds == 0 and watched.high


@pytest.mark.parametrize(("begun", "lead"), [(1, -1), (60, -60)])
def test_a_run_may_come_late(begun: int, lead: int) -> None:
    """Up to a minute after the onset."""
    waiting, told = watch(1, QUIET, None, FIRST, values(0, 1.2))
    assert told is None and waiting.onset_us == FIRST * SECOND
    late = onset(waiting, begun, run(begun))
    assert late is not None and late.lead_seconds == lead


def test_an_onset_without_a_run_is_missed() -> None:
    """It is told once the minute is over."""
    waiting = Watched(onset_us=FIRST * SECOND)
    assert onset(waiting, 59, None) is None
    missed = onset(waiting, 60, None)
    assert missed is not None and (missed.lead_seconds, missed.signal_id) == (None, None)


def test_fewer_calm_seconds_make_no_onset() -> None:
    """Nor does the border of a bin, which brings τ down on an RV60 that crosses nothing."""
    early = Past(volatility=0.3 * TAU, tau=TAU, elevated=Watched(quiet_seconds=299))
    assert watch(1, early, None, FIRST, values(0, 1.2))[0].onset_us == -1
    border = Past(volatility=0.95 * TAU, tau=TAU, elevated=Watched(quiet_seconds=300))
    assert watch(1, border, None, FIRST, values(0, 0.94, tau=0.9))[0].onset_us == -1


def test_a_blind_second_counts_nothing_and_begins_the_calm_anew() -> None:
    """Whatever run is held over it."""
    watched, told = watch(1, QUIET, run(-7), FIRST, None)
    assert told is None and watched == Watched()


def test_calm_seconds_count_how_long_a_run_has_stood() -> None:
    """By each lead; one older than 15 minutes is of another kind."""
    watched, _ = watch(1, QUIET, run(-12), FIRST, values(0))
    assert (watched.calm, watched.calm_in_state, watched.in_state) == (1, 1, 1)
    assert watched.stood == (1, 1, 1, 0, 0)
    assert watch(1, QUIET, run(-901), FIRST, values(0))[0].stood == (0, 0, 0, 0, 0)
    assert watch(1, QUIET, None, FIRST, values(0))[0].calm_in_state == 0

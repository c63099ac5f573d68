"""θ by budget: the lowest such that it and all above keep it."""

import numpy as np
import pytest

from signals.budgets import (
    DAY,
    GRID,
    Choice,
    Load,
    LoadsOf,
    card,
    elevated_thresholds,
    load_of,
    spike_thresholds,
    thresholds,
    thresholds_of_others,
)
from signals.row import Thresholds
from signals.rules import FROZEN, Hysteresis
from signals.runs import elevated_runs, spike_runs
from signals.seconds import Seconds
from tests.signals.world import seconds_of


def peaks(*severe: float, score: float = 0.05, floor: float = 0.01) -> Seconds:
    """A day with peaks of these heights, an hour apart, each over by itself."""
    found = np.full(DAY, floor)
    for hour, height in enumerate(severe):
        found[3_600 * hour + 60] = height
    return seconds_of(DAY, severe=found, smoothed=np.full(DAY, score))


def loads(*days: Seconds, rules: Hysteresis = FROZEN) -> list[LoadsOf]:
    """Return the loads of days."""
    return [LoadsOf(seconds, rules) for seconds in days]


DAY_OF_PEAKS = peaks(*(0.1 + 0.05 * k for k in range(12)))
"""0.10, 0.15 … 0.65."""


def test_the_lowest_theta_of_each_budget() -> None:
    """Four peaks at 0.50 or more: θs(4) is just above the fifth."""
    found = spike_thresholds(loads(DAY_OF_PEAKS))
    assert {b: c.theta for b, c in found.items()} == {2: 0.56, 4: 0.46, 8: 0.26, 16: 0.05}
    assert [c.load.starts for c in found.values() if c.load] == [2, 4, 8, 12]


def test_every_higher_theta_keeps_it_too() -> None:
    """Below a θ with too many starts there may be one with few, as runs melt: it is not taken."""
    heights = np.full(DAY, 0.01)
    heights[1_000:2_000] = 0.22  # below θs/2 at 0.6, so that each peak is a start; not at 0.4
    heights[1_000:2_000:100] = 0.6
    seconds = seconds_of(DAY, severe=heights)
    assert [len(spike_runs(seconds, theta)) for theta in (0.6, 0.4)] == [10, 1]
    found = spike_thresholds(loads(seconds), [4])[4].theta
    assert found == 0.61


def test_days_are_added_up() -> None:
    """A wild and a calm day have half as many starts a day; blind seconds are no time."""
    both = spike_thresholds(loads(DAY_OF_PEAKS, peaks()), [2, 4])
    assert both[2].theta == 0.46 and both[4].theta == 0.26
    half = peaks(*(0.1 + 0.05 * k for k in range(12)))
    half.covered[DAY // 2 :] = False
    assert spike_thresholds(loads(half), [4])[4].theta == 0.56


def test_theta_of_level_one_goes_with_one_of_level_two() -> None:
    """Four spikes start level 1, too, so two a day cannot be kept; ten bumps are more than four."""
    smoothed = np.zeros(DAY)
    smoothed[3_600 * 12 : 3_600 * 22 : 3_600] = 0.3
    seconds = seconds_of(DAY, severe=DAY_OF_PEAKS.severe, smoothed=smoothed)
    found = elevated_thresholds(loads(seconds), 0.46)
    assert found[2] == Choice(None, Load(4, 4 * 180, DAY), "too_many_starts")
    assert [found[b].theta for b in (4, 8, 16)] == [0.31, 0.31, 0.01]


def test_what_is_on_most_of_the_time_is_refused() -> None:
    """A long elevated stretch costs one start and most of the day."""
    smoothed = np.full(DAY, 0.02)
    smoothed[: DAY * 2 // 5] = 0.3
    seconds = seconds_of(DAY, smoothed=smoothed, severe=np.full(DAY, 0.01))
    found = elevated_thresholds(loads(seconds), 0.9)[8]
    assert (found.theta, found.refused) == (None, "always_on")
    assert found.load is not None and found.load.share > 0.35


def test_without_a_spike_threshold_there_is_no_other() -> None:
    """It is refused for that reason."""
    found = elevated_thresholds(loads(DAY_OF_PEAKS), None)
    assert {choice.refused for choice in found.values()} == {"no_spike_threshold"}


def test_both_levels_for_a_card() -> None:
    """By level and budget, null where refused."""
    found = card(thresholds([DAY_OF_PEAKS]))
    assert found["spike"] == {"2": 0.56, "4": 0.46, "8": 0.26, "16": 0.05}
    assert found["elevated"]["2"] is None


def test_the_load_is_that_of_the_runs() -> None:
    """Starts, and seconds in state of those covered."""
    runs = elevated_runs(DAY_OF_PEAKS, Thresholds(0.5, 0.46), spike_runs(DAY_OF_PEAKS, 0.46))
    assert load_of([(DAY_OF_PEAKS, runs)]) == Load(4, 4 * 180, DAY)


@pytest.mark.parametrize(
    ("starts", "budget", "within"), [(4, 4, True), (5, 4, False), (0, 2, True)]
)
def test_within_a_budget(starts: int, budget: int, within: bool) -> None:
    """So many starts a covered day, in whole numbers."""
    assert Load(starts, 0, DAY).within(budget) is within
    assert Load(2 * starts, 0, 2 * DAY).within(budget) is within


def test_nothing_covered_has_no_rate() -> None:
    """Neither starts a day nor a share."""
    assert np.isnan([Load(0, 0, 0).starts_a_day, Load(0, 0, 0).share]).all()


def test_the_grid_is_hundredths_from_above() -> None:
    """Each as it is written."""
    assert GRID[:2] == (1.0, 0.99) and GRID[-1] == 0.01 and len(GRID) == 100


def test_other_rules_give_another_theta() -> None:
    """A wait of an hour makes one run of all peaks: one start a day at any θ."""
    rules = Hysteresis(spike_lasting=3_700)
    found = spike_thresholds(loads(DAY_OF_PEAKS, rules=rules), [2])
    assert found[2].load is not None and found[2].load.starts == 1
    assert thresholds([DAY_OF_PEAKS], rules)["spike"][2] == found[2]


@pytest.mark.exhaustive
def test_each_part_has_the_thresholds_of_the_others() -> None:
    """Those that are found without it, whatever was asked of the others before."""
    days = [DAY_OF_PEAKS, peaks(), peaks(0.9, 0.8, 0.3, score=0.2)]
    alone = [thresholds(days[:at] + days[at + 1 :]) for at in range(3)]
    assert list(thresholds_of_others(days)) == alone
    assert alone[0] != alone[1]

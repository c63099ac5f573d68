"""Budgets are kept or not kept by counts, and the days are what the machine steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from signals.budgets import DAY, Load
from training.commands.events import STORED
from training.errors import FitError
from training.venues.events import (
    events,
    find_events,
    seconds_of,
    within_factor_two,
    within_interval,
)
from training.venues.forecasts import ScoredDay
from training.venues.stored import read_stored
from training.venues.venue_days import missing


def day(severe: float, seconds: int = 4_000) -> ScoredDay:
    """Return a quiet day of equal scores."""
    each = np.full(seconds, 1.0)
    at = np.arange(seconds, dtype=np.int64)
    return ScoredDay(
        "V", 0, at, 0.0 * each, severe * each, 0.5 * each, each, np.zeros(seconds, np.bool_)
    )


@pytest.mark.parametrize(
    ("starts", "interval", "factor"), [(40, True, True), (25, False, True), (90, False, False)]
)
def test_a_budget_is_kept_by_its_interval_and_within_a_factor_of_two(
    starts: int, interval: bool, factor: bool
) -> None:
    """Ten days of 4 a day are 40 starts."""
    load = Load(starts, 0, 10 * DAY)
    assert within_interval(load, 4) == interval
    assert within_factor_two(load, 4) == factor


def test_a_day_is_stepped_as_the_machine_does() -> None:
    """The last second is still under way."""
    found = seconds_of(day(0.01))
    assert len(found) == 3_999
    assert found.covered.all()


def test_default_budgets_that_are_refused_are_named() -> None:
    """Always above every θ of level 2 is one start in a short day, which is too many."""
    with pytest.raises(FitError, match="refused no_spike_threshold, too_many_starts"):
        events([day(1.0)])


def test_days_of_two_venues_have_tables_of_their_own() -> None:
    """Nothing starts a spike, so the budget is not kept, and is said not to be."""
    quiet = day(0.01, 90_000)
    found = events([replace(quiet, venue="A"), replace(quiet, venue="B")])
    spikes = found["levels"]["spike"]
    assert list(spikes["venues"]) == ["A", "B"]
    assert [each["model"]["starts"] for each in spikes["venues"].values()] == [0, 0]
    assert not spikes["interval_contains_budget"]


def test_rule_and_always_stand_beside_the_model() -> None:
    """In the same seconds: what never reaches τ starts nothing by the rule, always is one run."""
    quiet = day(0.01, 90_000)
    found = events([replace(quiet, venue="A"), replace(quiet, venue="B")])
    beside = found["levels"]["elevated"]["venues"]["A"]
    assert (beside["rule"]["starts"], beside["always"]["starts"]) == (0, 1)
    assert beside["rule"]["onsets"] == beside["model"]["onsets"] == 0


def test_a_day_is_judged_by_the_thresholds_of_the_others() -> None:
    """A day of 150 short spikes raises the θ of all days, and not the one it is judged by."""
    quiet = day(0.01, 90_000)
    wild = replace(quiet, severe=np.where(quiet.second % 600 < 5, 0.3, 0.01))
    found = events([replace(quiet, day=1), replace(wild, day=2), replace(quiet, day=3)])
    assert found["thresholds"]["spike"]["4"]["theta"] > 0.3
    assert found["levels"]["spike"]["starts"] == 150


@pytest.mark.captures
def test_what_is_kept_is_what_the_days_say(captures: Path) -> None:
    """The stored figures are those of the command, where the days are."""
    if missing(captures):
        pytest.skip(f"found no {missing(captures)}")
    assert find_events(captures) == read_stored(STORED)[1]


def test_the_default_budgets_are_kept_on_days_left_out() -> None:
    """Over all days the interval contains it; BitMEX and BTC-e are within a factor of two."""
    found = read_stored(STORED)[1]
    for level in found["levels"].values():
        assert level["interval_contains_budget"]
        assert all(level["venues"][name]["within_factor_two"] for name in ("BitMEX", "BTC-e"))

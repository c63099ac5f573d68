"""Budgets are kept or not kept by counts, and the days are what the machine steps."""

from dataclasses import replace

import numpy as np
import pytest

from signals.budgets import DAY, Load
from training.errors import FitError
from training.venues.events import events, seconds_of, within_factor_two, within_interval
from training.venues.forecasts import ScoredDay


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
    assert [each["table"]["starts"] for each in spikes["venues"].values()] == [0, 0]
    assert not spikes["interval_contains_budget"]

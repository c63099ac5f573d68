"""How shares of spikes move by nature, and that the bounds of the alert tell a wrong level."""

import numpy as np
import pytest
import yaml

from benchmarks.prevalence_spread import DAY, HOUR, of_seconds, of_venue, shares
from tests.conftest import ROOT
from training.venues.venue_days import missing, read_venues

DATA = ROOT.parent / "shared" / "data"


def bounds() -> tuple[float, float]:
    """The lowest and highest share of a day that the alert Prevalence leaves alone."""
    groups = yaml.safe_load((ROOT / "grafana/rules/alerts.yml").read_text())["groups"]
    rules = {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
    above, below = rules["Prevalence"].split(" or ")
    return float(below.rpartition("<")[2]), float(above.rpartition(">")[2])


def test_a_share_is_that_of_the_judged_seconds_of_a_span() -> None:
    """Spans with fewer than half of their seconds judged are left out."""
    second = np.arange(3.0 * HOUR)
    at = (second < 1.5 * HOUR) | (second >= 2.75 * HOUR)
    spike = (second < HOUR / 4) | (second >= HOUR)
    assert shares(spike, at, second, HOUR, HOUR).tolist() == [0.25, 1.0]


def test_generated_days_stay_within_the_bounds_unless_the_level_is_wrong() -> None:
    """Wild and calm hours of a log-normal market leave a day alone; a factor of three does not."""
    chance = np.random.default_rng(1)
    second = np.arange(3.0 * DAY)
    mood = np.repeat(chance.normal(0.0, 0.5, 3 * 24), HOUR)
    ahead = np.exp(mood + chance.normal(0.0, 0.5, len(second)))
    tau = np.full(len(second), np.quantile(ahead, 0.9))
    found = dict(of_seconds(tau, ahead, second))
    low, high = bounds()
    assert found["share, hour"].min() < low and found["share, hour"].max() > high
    assert low < found["share, last 24 h"].min() <= found["share, last 24 h"].max() < high
    assert found["share, last 24 h, τ × 3"].max() < low
    assert found["share, last 24 h, τ × 0.33"].min() > high


@pytest.mark.exhaustive
@pytest.mark.skipif(bool(missing(DATA)), reason="no days of other venues in ../shared/data")
def test_no_day_of_another_venue_alarms_and_each_does_with_a_wrong_level() -> None:
    """Every look at a last 24 h lies within; with τ three times as large or small none does."""
    low, high = bounds()
    for days in read_venues(DATA):
        found = dict(of_seconds(*of_venue(days.seconds)))
        day = found["share, last 24 h"]
        assert len(day) and low < day.min() and day.max() < high, days.venue.name
        assert found["share, last 24 h, τ × 3"].max() < low
        assert found["share, last 24 h, τ × 0.33"].min() > high

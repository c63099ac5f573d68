"""How shares of spikes move by nature, and that the bounds of the alert tell a wrong level."""

import numpy as np
import pytest
import yaml

from benchmarks.prevalence_spread import (
    BOUNDS,
    DAY,
    HOUR,
    MINUTES,
    Part,
    alarms,
    chosen,
    halves,
    kept_apart,
    of_seconds,
    of_venue,
    settled,
    shares,
)
from tests.conftest import ROOT
from training.venues.minute_levels import read_minute_examples
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


def test_the_bounds_that_are_judged_are_those_of_the_alert() -> None:
    """The command and the rule say the same."""
    assert bounds() == BOUNDS


def test_a_share_alarms_once_it_stays_outside() -> None:
    """Six hours outside are none, the seventh look in a row is one, whatever comes after it."""
    outside = np.array([0.5] * 6 + [0.1] + [0.0] * 9)
    assert alarms(outside, (0.01, 0.3)) == (15, 1)
    assert alarms(outside[:7], (0.01, 0.3)) == (6, 0)


def test_bounds_are_chosen_by_what_stays_and_by_the_worst_part() -> None:
    """A look that passes chooses nothing; what stands for hours does, with a margin in odds."""
    steady = np.full(20, 0.1)
    spiked = np.where(np.arange(20) == 5, 0.9, 0.1)
    assert settled(spiked) == settled(steady) == (0.1, 0.1)
    low, high = chosen([Part("one", {1.0: spiked}), Part("two", {1.0: np.full(20, 0.2)})])
    assert low == pytest.approx(0.1 / 1.45) and high == pytest.approx(0.3 / 1.1)


def test_days_that_are_kept_apart_choose_nothing_for_themselves() -> None:
    """A wild part alarms by the bounds of the others; a half is judged by other venues, too."""
    names = ("a", "m, first half", "m, second half")
    levels = (0.1, 0.1, 0.9)
    parts = [
        Part(name, dict.fromkeys((1.0, 3.0, 1 / 3), np.full(20, level)))
        for name, level in zip(names, levels, strict=True)
    ]
    lines = list(kept_apart(parts))
    assert len(lines) == 2 + 3 + 3
    wild = next(line for line in lines if "second half" in line and "all others" in line)
    assert wild.split()[-6:] == ["20", "1"] * 3
    assert all("0  0" in line for line in lines if line.startswith("  a ") and "all" not in line)


@pytest.mark.exhaustive
@pytest.mark.skipif(bool(missing(DATA)), reason="no days of other venues in ../shared/data")
def test_a_half_of_the_month_that_is_kept_apart_raises_no_alarm() -> None:
    """Bounds chosen on the other half and the venues leave it alone, as those of the alert do."""
    parts = [*halves(read_minute_examples(DATA / MINUTES))]
    venues = [Part.of(d.venue.name, *of_venue(d.seconds)) for d in read_venues(DATA)]
    for half in parts:
        others = [each for each in (*parts, *venues) if each is not half]
        assert alarms(half.shares[1.0], chosen(others))[1] == 0
        assert alarms(half.shares[1.0], BOUNDS)[1] == 0
        assert alarms(half.shares[3.0], BOUNDS)[1] > 0


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

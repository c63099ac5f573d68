"""The wandering volatility: what was fitted, on generated data."""

import math

import numpy as np
import pytest

from benchmarks.market_fit import figures, returns_made
from simulator.moods import CALM, NORMAL, WILD, mood_at
from simulator.volatility import (
    DAY_S,
    MEDIAN,
    QUANTILES,
    STATIONARY_SD,
    Volatility,
    course_of,
    shape,
)

SEEDS = range(1, 4)
FITTED = {
    "P90, log sd between days": 0.330,
    "onsets a day, 1 times": 20.9,
    "autocovariance, 5 min": 0.240,
    "autocovariance, 30 min": 0.213,
    "autocovariance, 240 min": 0.132,
}
"""What the month of minutes shows, by ``python -m benchmarks.market_fit``."""


def course(seed: int, product: str, steps: int, seconds: float) -> list[float]:
    """Log volatility by step, without the daily shape."""
    made = Volatility(seed, product)
    found = []
    for _ in range(steps):
        made.step(seconds)
        found.append(math.log(made.annual(0.0) / MEDIAN) - shape(0.0))
    return found


def test_the_same_seed_gives_the_same_course() -> None:
    """And another seed or product another."""
    assert course(7, "BTC-USD", 50, 1.0) == course(7, "BTC-USD", 50, 1.0)
    assert course(8, "BTC-USD", 50, 1.0) != course(7, "BTC-USD", 50, 1.0)
    assert course(7, "ETH-USD", 50, 1.0) != course(7, "BTC-USD", 50, 1.0)


def test_it_moves_between_days_and_remembers_as_the_minutes_do() -> None:
    """The mean of three seeds of 30 days each lies within 35 % of what was fitted."""
    made = [figures(returns_made(seed)) for seed in SEEDS]
    for name, fitted in FITTED.items():
        assert np.mean([found[name] for found in made]) == pytest.approx(fitted, rel=0.35)


def test_steps_are_exact() -> None:
    """The spread of the terms is the same by steps of a second and of an hour."""
    for steps, seconds in ((60, 1.0), (3, 3_600.0)):
        ends = [course(seed, "X-USD", steps, seconds)[-1] for seed in range(400)]
        assert np.std(ends) == pytest.approx(STATIONARY_SD, rel=0.2)


def test_products_share_six_tenths_of_the_variance() -> None:
    """The correlation over independent seeds is the common share."""
    pairs = [[course(seed, p, 1, 1.0)[0] for p in ("A-USD", "B-USD")] for seed in range(2_000)]
    assert np.corrcoef(np.transpose(pairs))[0, 1] == pytest.approx(0.6, abs=0.05)


def test_a_mood_is_a_quantile() -> None:
    """Held, the volatility stays near the quantile that the mood names; let go, it wanders."""
    free = [course(seed, "X-USD", 1, 1.0)[0] for seed in range(2_000)]
    for mood, quantile in QUANTILES.items():
        held = course_of(7, "X-USD", mood)
        found = []
        for _ in range(2_000):
            held.step(60.0)
            found.append(math.log(held.annual(0.0) / MEDIAN))
        assert np.mean(np.array(free) < np.median(found)) == pytest.approx(quantile, abs=0.05)
    held.hold(None)
    assert held.mood is None


def test_an_unknown_mood_is_refused_by_name() -> None:
    """The error says which there are."""
    with pytest.raises(ValueError, match="found mood 'angry', expected one of calm, normal, wild"):
        course_of(7, "X-USD", "angry")


def test_the_day_has_a_shape_of_mean_nothing() -> None:
    """Smooth, and the same every day."""
    hours = [shape(second) for second in range(0, DAY_S, 3_600)]
    assert sum(hours) == pytest.approx(0.0, abs=1e-9)
    assert max(hours) - min(hours) > 0.3
    assert shape(DAY_S) == pytest.approx(shape(0.0))


def test_rates_lie_between_those_of_the_moods() -> None:
    """At a mood's volatility they are the mood's, beyond the outer ones they stay."""
    for mood in (CALM, NORMAL, WILD):
        found = mood_at(mood.volatility)
        assert found.name == mood.name
        assert found.ticks_per_s == pytest.approx(mood.ticks_per_s)
    assert mood_at(1e-3).trades_per_s == pytest.approx(CALM.trades_per_s)

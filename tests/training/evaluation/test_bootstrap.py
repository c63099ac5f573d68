"""Intervals by blocks of time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from training.evaluation.bootstrap import (
    Resampled,
    average_precisions,
    brier_difference,
    precision_difference,
)

SECOND = 1_000_000
TIMES = np.arange(6000, dtype=np.int64) * SECOND


@settings(max_examples=50, deadline=None)
@given(scores=st.lists(st.integers(0, 5), min_size=2, max_size=30), seed=st.integers(0, 1000))
def test_weighted_precision_is_scikit_learns(scores: list[int], seed: int) -> None:
    """With ties, and with rows counted several times or not at all."""
    chance = np.random.default_rng(seed)
    score, spikes = np.array(scores) / 5, chance.random(len(scores)) < 0.5
    weights = chance.integers(0, 3, (4, len(scores))).astype(np.float64)
    found = average_precisions(spikes, score, weights)
    for weight, value in zip(weights, found, strict=True):
        if (weight * spikes).sum() == 0:
            assert np.isnan(value)
        else:
            expected = average_precision_score(spikes, score, sample_weight=weight)
            assert value == pytest.approx(expected)


def test_a_block_is_drawn_whole() -> None:
    """Rows of one block always count alike, and as many blocks are drawn as there are."""
    drawn = Resampled.of(TIMES, repeats=20)
    weights = drawn.draws[:, drawn.block]
    assert drawn.draws.shape == (20, 20)
    assert (drawn.draws.sum(axis=1) == 20).all()
    assert all(
        len(np.unique(weights[0, start : start + 300])) == 1 for start in range(0, 6000, 300)
    )


def test_neighbouring_seconds_do_not_narrow_the_interval() -> None:
    """Sixty copies of a minute are one minute: the interval is that of the blocks."""
    chance = np.random.default_rng(4)
    level = np.repeat(chance.random(20) < 0.5, 300)
    interval = brier_difference(level, np.full(6000, 0.5), np.full(6000, 0.2), Resampled.of(TIMES))
    assert interval.low < interval.value < interval.high
    assert interval.half_width > 0.05


def test_a_better_ranking_is_seen() -> None:
    """The interval of a real difference lies above 0, that of none holds it."""
    chance = np.random.default_rng(6)
    spikes = chance.random(6000) < 0.2
    good, noise = spikes + chance.normal(0, 0.8, 6000), chance.random(6000)
    draws = Resampled.of(TIMES)
    assert precision_difference(spikes, good, noise, draws).low > 0
    same = precision_difference(spikes, noise, noise, draws)
    assert (same.low, same.value, same.high) == (0, 0, 0)


def test_ten_minutes_without_a_spike_prove_little() -> None:
    """Where no spike was seen, the interval reaches to what up to 3/n of them would give."""
    quiet, draws = np.zeros(600, dtype=np.bool_), Resampled.of(TIMES[:600])
    said, never = np.full(600, 0.02), np.zeros(600)
    found = brier_difference(quiet, said, never, draws)
    assert found.value == pytest.approx(0.0004)
    assert found.low == pytest.approx(0.0004 - 2 * 0.3 * 0.02)

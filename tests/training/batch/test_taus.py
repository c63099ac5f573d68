"""Levels by columns are those of a run that takes second by second."""

import numpy as np

from featurizer.level.level import STATUSES
from featurizer.level.run import Run
from featurizer.slots import Slot
from training.batch.taus import taus_of

SEED = 5e-4


def slots(count: int, first: int = 1_700_000_000) -> list[Slot]:
    """Seconds of a walk whose pace changes by the minute."""
    chance = np.random.default_rng(1)
    pace = np.repeat(chance.lognormal(-9.0, 0.5, count // 60 + 1), 60)[:count]
    steps = chance.normal(0.0, pace)
    return [
        Slot(first + k, 100.0, 0.0, None, 1, True, log_return=float(step))
        for k, step in enumerate(steps)
    ]


def test_levels_follow_bin_by_bin() -> None:
    """Over days, from the seed on, until the first bins and a day are forgotten."""
    made = slots(100_000)
    one_by_one, levels = Run("P", "f", made[0].second * 1_000_000, SEED), []
    volatility = np.full(len(made), np.nan)
    before: Slot | None = None
    for slot in made:
        one_by_one.step(before, slot.second)
        levels.append((one_by_one.level.tau, one_by_one.level.status))
        before = slot
    squares = np.array([slot.log_return or 0.0 for slot in made]) ** 2
    # To the cell, not to the bit: the sums here are plain ones.
    volatility[59:] = np.sqrt(np.lib.stride_tricks.sliding_window_view(squares, 60).sum(axis=1))
    second = np.array([slot.second for slot in made])
    found = taus_of(second, volatility, 0, Run("P", "f", 0, SEED))
    assert {status for _, status in levels} == {"seeded", "provisional", "established"}
    assert [STATUSES[k] for k in found.status] == [status for _, status in levels]
    assert found.tau.tolist() == [tau for tau, _ in levels]


def test_without_a_seed_there_is_none_at_first() -> None:
    """NaN stands for no level."""
    second = np.arange(1_700_000_000, 1_700_000_100)
    found = taus_of(second, np.full(100, np.nan), 0, Run("P", "f", 0, None))
    assert np.isnan(found.tau).all()
    assert {STATUSES[k] for k in found.status} == {"blind"}

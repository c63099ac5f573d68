"""Minutes in units of their own level, by the service's rule of bins and week."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from featurizer.level.histogram import EDGES, cell_of
from training.venues.minute_levels import PARKINSON, established_levels, read_minute_examples

MIDNIGHT = 1_700_006_400


def seconds(minutes: int) -> np.ndarray:
    """Return the last second of each minute since a midnight."""
    return MIDNIGHT + 60 * np.arange(minutes) + 59


def test_a_level_is_established_after_eight_hours_of_minutes() -> None:
    """And is the upper edge of the cell of P90 of what closed before the bin."""
    volatility = np.where(np.arange(600) % 5 == 0, 4e-4, 2e-4)
    tau = established_levels(seconds(600), volatility)
    assert np.isnan(tau[:480]).all()
    assert set(tau[480:]) == {EDGES[cell_of(4e-4)]}


def test_nothing_later_changes_a_level() -> None:
    """Nor does the bin under way."""
    chance = np.random.default_rng(1)
    volatility = 3e-4 * np.exp(chance.normal(size=900))
    later = np.where(np.arange(900) >= 700, 1.0, volatility)
    tau, other = (established_levels(seconds(900), each) for each in (volatility, later))
    assert np.array_equal(tau[:710], other[:710], equal_nan=True)
    assert tau[710] != other[710]


def test_a_wild_week_holds_the_level_up() -> None:
    """After a calm day it is 0.7 of the week's P90, until the wild days are a week away."""
    volatility = np.where(np.arange(4 * 1440) < 2 * 1440, 1e-3, 1e-4)
    tau = established_levels(seconds(4 * 1440), volatility)
    assert tau[-1] == pytest.approx(0.7 * EDGES[cell_of(1e-3)])


def test_minutes_become_examples(tmp_path: Path) -> None:
    """Windows are root mean squares of the minutes known; an unknown minute has no example."""
    count = 700
    ranges = np.where(np.arange(count) % 5 == 0, 8e-4, 4e-4)
    frame = pd.DataFrame(
        {
            "minute_epoch": MIDNIGHT // 60 + np.arange(count),
            "high": 100.0 * np.exp(ranges),
            "low": 100.0,
            "trades": 5.0,
        }
    )
    frame.loc[600, ["high", "low", "trades"]] = np.nan
    frame.to_csv(path := tmp_path / "m.csv", index=False)
    found = read_minute_examples(path)
    # Minutes 480 to 698 but 600, which is not known, and 599, which it follows.
    assert len(found) == 219 - 2
    assert found.ahead[0] == pytest.approx(4e-4 / PARKINSON)
    squares = np.sqrt((64 + 4 * 16) / 5) * 1e-4 / PARKINSON
    assert found.volatility[10, 1:] == pytest.approx(squares * np.sqrt([5, 15, 60]))
    assert found.volatility[10, 0] == pytest.approx(ranges[490] / PARKINSON)

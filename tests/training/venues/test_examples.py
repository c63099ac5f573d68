"""Examples: which seconds count, and what they are in units of their level."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.venues.btce import BTCE
from training.venues.examples import Examples, examples_of, joined
from training.venues.leveled import LeveledSeconds
from training.venues.venue_days import read_venue

Market = Callable[..., pd.DataFrame]


@pytest.fixture
def seconds(market: Market, written: Callable[[pd.DataFrame], Path]) -> LeveledSeconds:
    """Ten hours of a generated market."""
    return read_venue(BTCE, written(market(10.0))).seconds


def test_established_seconds_with_a_known_minute_ahead_count(seconds: LeveledSeconds) -> None:
    """The last 60 are not known, and all four windows are."""
    found = examples_of("v", seconds)
    assert len(found) == seconds.has("established").sum() - 60
    assert not np.isnan(found.volatility).any()
    assert 0.0 < found.severe.mean() < found.spikes.mean() < 0.5


def test_of_other_seconds_there_are_those_of_their_status(seconds: LeveledSeconds) -> None:
    """Provisional ones, for instance."""
    assert len(examples_of("v", seconds, "provisional")) == seconds.has("provisional").sum()


def examples(first: int, n: int, part: int) -> Examples:
    """Return ``n`` made-up examples from an epoch second on."""
    ones = np.ones(n)
    second = np.arange(first, first + n)
    return Examples("e", second, np.ones((n, 4)), ones, ones, 2.0 * ones, np.full(n, part))


def test_several_are_joined_and_thinned() -> None:
    """Every tenth second of both stays, with its part."""
    found = joined("both", [examples(5, 20, 1), examples(100, 10, 2)]).thinned(10)
    assert found.second.tolist() == [9, 19, 109]
    assert found.part.tolist() == [1, 1, 2]
    assert (found.name, found.spikes.all(), found.severe.all()) == ("both", True, True)

"""The days of a venue: read in one pass, with their level."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from training.venues.btce import BTCE
from training.venues.venue_days import read_venue

Market = Callable[..., pd.DataFrame]


def test_a_generated_market_has_a_level_after_its_hours(
    market: Market, written: Callable[[pd.DataFrame], Path]
) -> None:
    """After nine hours and a half it is established, and blind before an hour."""
    days = read_venue(BTCE, written(market(9.5)))
    assert days.breaks == 0
    assert days.seconds.has("blind")[3600] and days.seconds.has("established")[-1]

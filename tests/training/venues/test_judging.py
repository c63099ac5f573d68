"""The days of all venues: found or not, read in one pass, judged as they are kept."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from training.venues.btce import BTCE
from training.venues.judging import FOLDER, VENUES, judge, judging_lines, missing, read_venue
from training.venues.stored import read_stored

Market = Callable[..., pd.DataFrame]


def test_absent_files_are_named(tmp_path: Path) -> None:
    """All three, then all but one."""
    assert missing(tmp_path) == [venue.file for venue in VENUES]
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / BTCE.file).touch()
    assert BTCE.file not in missing(tmp_path)


def test_a_generated_market_has_a_level_after_its_hours(
    market: Market, written: Callable[[pd.DataFrame], Path]
) -> None:
    """After nine hours and a half it is established, and blind before an hour."""
    days = read_venue(BTCE, written(market(9.5)))
    assert days.breaks == 0
    assert days.seconds.has("blind")[3600] and days.seconds.has("established")[-1]


@pytest.mark.captures
def test_the_days_say_what_is_kept(captures: Path) -> None:
    """Shares of spikes, by venue and day."""
    if absent := missing(captures):
        pytest.skip(f"days of other venues: no {', '.join(absent)} beside the captures")
    found = judge(captures)
    assert found == read_stored()[1]
    assert sum("expected 0.07 to 0.13" in line for line in judging_lines(found)) == 3

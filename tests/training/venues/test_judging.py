"""The whole judgement: of made-up days, minutes and captures, and of the real ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.training.made_up import write_all
from training.venues.judging import BEFORE, BOTH, COINBASE, MINUTES, OTHERS, judge, missing
from training.venues.stored import read_stored
from training.venues.table import judging_lines
from training.venues.venue_days import FOLDER, VENUES

Market = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Path]) -> Path:
    """A folder as the real one."""
    return write_all(tmp_path_factory.mktemp("data"), write)


@pytest.fixture(scope="module")
def found(data: Path) -> dict[str, Any]:
    """What it says."""
    return judge(data)


def test_absent_files_are_named(tmp_path: Path, data: Path) -> None:
    """All of them, or none."""
    files = [f"{FOLDER}/{venue.file}" for venue in VENUES]
    assert missing(tmp_path) == [*files, MINUTES, "adv_*.ndjson*"]
    assert missing(data) == []


@pytest.mark.exhaustive
def test_days_are_judged_by_those_before_and_by_other_venues(found: dict[str, Any]) -> None:
    """Each venue and the minutes, by the level that was theirs."""
    names = [*(venue.name for venue in VENUES), "Coinbase minutes"]
    told = [(each["tested"], each["learned"]) for each in found["days"]]
    assert told == [(name, learned) for name in names for learned in (BEFORE, OTHERS)]
    assert all(each["score"]["prevalence"] < 0.6 for each in found["days"])


@pytest.mark.exhaustive
def test_captures_stand_apart(found: dict[str, Any]) -> None:
    """No table has both a seeded and a trailing level; their parts are files."""
    assert {each["tested"] for each in found["captures"]} == {"Coinbase captures"}
    parts = found["captures"][0]["score"]["brier"]["gain"]["by_part"]
    assert list(parts) == ["adv_1.ndjson", "adv_2.ndjson"]


def test_coinbase_alone_is_held_beside_what_others_add(found: dict[str, Any]) -> None:
    """For both events and both losses."""
    for each in found["coinbase_alone"]:
        assert each["learned"] == COINBASE
        assert list(each["beside"]) == [OTHERS, BOTH]
        assert {len(gains) for of in each["beside"].values() for gains in of.values()} == {2}


def test_two_days_or_captures_decide_nothing(found: dict[str, Any]) -> None:
    """However large the difference is."""
    lines = judging_lines(found)
    gains = [line for line in lines if "gain on" in line]
    assert len(gains) == 2 * 2 * (8 + 3 + 3 * 3)
    assert all("not decidable (each part:" in line for line in gains)


@pytest.mark.captures
@pytest.mark.exhaustive
def test_the_data_say_what_is_kept(captures: Path) -> None:
    """Shares of spikes, and every gain, digit by digit."""
    if absent := missing(captures):
        pytest.skip(f"days of other venues: no {', '.join(absent)} beside the captures")
    assert judge(captures) == read_stored()[1]

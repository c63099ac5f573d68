"""All figures by events, from files that are made up, and those that are kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.made_up import write_all
from training.commands.events import STORED
from training.events.found import find_events
from training.venues.judging import missing
from training.venues.stored import document_of, read_stored


@pytest.fixture(scope="module")
def kept() -> dict[str, dict[str, object]]:
    """What is kept."""
    return read_stored(STORED)[1]


@pytest.mark.exhaustive
def test_files_that_are_there_give_the_whole_table(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    """Of each venue and level, with all rows; and it can be kept."""
    found = find_events(write_all(tmp_path, write))
    assert list(found["products"]) == ["BitMEX", "BTC-e", "Binance"]
    for level in found["levels"].values():
        for venue in level["venues"].values():
            assert list(venue["chances"]) == ["model", "rv60", "rv300", "ewma", "rule"]
            assert list(venue["rows"]) == [*venue["chances"], "always"]
    kept = tmp_path / "found.json"
    kept.write_text(document_of(found), encoding="utf-8")
    assert read_stored(kept)[1] == found


@pytest.mark.captures
@pytest.mark.exhaustive
def test_what_is_kept_is_what_the_days_say(captures: Path, kept: dict[str, object]) -> None:
    """The stored figures are those of the command, where the days are."""
    if missing(captures):
        pytest.skip(f"found no {missing(captures)}")
    assert find_events(captures) == kept


def test_the_default_budgets_are_kept_on_days_left_out() -> None:
    """Over all days the interval contains it; BitMEX and BTC-e are within a factor of two."""
    for level in read_stored(STORED)[1]["levels"].values():
        assert level["kept"]["model"]["interval_contains_budget"]
        assert all(level["venues"][name]["within_factor_two"] for name in ("BitMEX", "BTC-e"))


def test_the_model_beats_the_calibrated_rule_where_days_suffice() -> None:
    """By log loss on BitMEX and on BTC-e, by Brier score on BitMEX; two days decide nothing."""
    venues = read_stored(STORED)[1]["levels"]["elevated"]["venues"]
    said = {name: of["gains"] for name, of in venues.items()}
    assert said["BitMEX"]["brier"]["verdict"] == said["BitMEX"]["log_loss"]["verdict"] == "better"
    assert said["BTC-e"]["log_loss"]["verdict"] == "better"
    assert said["Binance"]["brier"]["verdict"] == "not decidable"

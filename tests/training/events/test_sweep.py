"""What other constants would have given; the ones that stand are those that the sweep picked."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signals.rules import DECAY, FROZEN, Hysteresis
from signals.runs import Runs
from signals.table import Part
from tests.training.events.days import day
from training.commands.events import STORED_SWEEP
from training.errors import FitError
from training.events.sweep import (
    CONTRACT,
    SETTINGS,
    Setting,
    find_sweep,
    flickers,
    passes,
    picked,
    restarts,
    swept,
)
from training.venues.forecasts import ScoredDay
from training.venues.judging import missing
from training.venues.stored import read_stored


def runs(*spans: tuple[int, int]) -> Runs:
    """Return runs from their starts and ends."""
    start, end = zip(*spans, strict=True)
    return Runs(np.array(start), np.array(end))


def level(**changed: Any) -> dict[str, Any]:
    """Return a level's figures that are a little better than those of ``CALM``."""
    gain = {"value": 0.02, "low": 0.01, "high": 0.03, "verdict": "better"}
    return {"flickers": 2, "restarts": 9, "in_state": 0.2, "above_contract": gain} | changed


def verdict(word: str) -> dict[str, Any]:
    """Return the gain of this verdict."""
    return {"value": 0.01, "verdict": word}


CALM = {"elevated": level(), "spike": level()}


def test_runs_under_five_seconds_are_flickers() -> None:
    """Four seconds are one, five are none, nor is one that the day cuts short."""
    seconds = day(0.01, 1_001).seconds
    spans = runs((10, 14), (500, 505), (998, len(seconds)))
    assert flickers(Part(seconds, spans)) == 1


def test_a_start_soon_after_an_end_is_a_restart() -> None:
    """Within 300 s of it, to the second."""
    assert restarts(runs((10, 20), (320, 330), (631, 640))) == 1


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ({}, True),
        ({"flickers": 3}, False),
        ({"restarts": 10}, False),
        ({"in_state": 0.219}, True),
        ({"in_state": 0.221}, False),
        ({"above_contract": verdict("not decidable")}, True),
        ({"above_contract": verdict("worse")}, False),
        ({"above_contract": None}, False),
    ],
)
def test_the_criterion_holds_at_both_levels(changed: dict[str, Any], right: bool) -> None:
    """One level may decide nothing; at none may there be more of what disturbs."""
    assert passes({"elevated": level(), "spike": level(**changed)}, CALM) == right


def test_no_level_that_decides_is_not_enough() -> None:
    """Nor is a setting whose budgets are refused."""
    undecided = level(above_contract=verdict("not decidable"))
    assert not passes({"elevated": undecided, "spike": undecided}, CALM)
    assert not passes(None, CALM)


def test_the_largest_gain_is_picked_and_else_the_contract() -> None:
    """Of those that pass."""
    low, high = level(), level(above_contract=verdict("better"))
    found = {
        "a": {"passes": True, "levels": {"spike": high}},
        "b": {"passes": True, "levels": {"spike": low}},
        "c": {"passes": False, "levels": None},
    }
    assert picked(found, CONTRACT) == "b"
    assert picked({"c": found["c"]}, CONTRACT) == CONTRACT


def wavering(number: int) -> ScoredDay:
    """Return a day in which ``severe`` is high for 2 s, and again after 18 s."""
    quiet = day(0.01, 90_000)
    severe = np.where((quiet.second < 40) & (quiet.second % 20 < 2), 0.4, 0.01)
    return replace(quiet, day=number, severe=severe)


def test_a_shorter_hold_restarts_what_the_contract_holds_together() -> None:
    """A wait of 3 s ends a spike that comes again after 18 s; one of 60 s does not."""
    days = [wavering(number) for number in range(3)]
    hasty = Setting("hasty", Hysteresis(spike_lasting=3))
    found = swept(days, [SETTINGS[0], hasty])
    counts = [of["levels"]["spike"] for of in found["settings"].values()]
    assert [of["starts"] for of in counts] == [3, 6]
    assert [of["restarts"] for of in counts] == [0, 3]
    assert found["picked"] == CONTRACT


def test_a_half_life_changes_the_score_alone() -> None:
    """A step of the score is half way after as many seconds."""
    step = replace(day(0.01, 200), score=np.where(np.arange(200) < 50, 0.0, 1.0))
    for half_life in (30, 60):
        seconds = step.stepped(Setting("", half_life=half_life).decay)
        assert seconds.smoothed[49 + half_life] == pytest.approx(0.5)
        assert np.array_equal(seconds.severe, step.seconds.severe)


def test_budgets_that_are_refused_to_the_first_are_named() -> None:
    """There is nothing to stand beside."""
    with pytest.raises(FitError, match="default budgets that are refused"):
        swept([day(1.0), day(1.0)])


def test_the_constants_are_those_that_were_picked() -> None:
    """By the table that is kept with its digest, which names all that were tried."""
    found = read_stored(STORED_SWEEP)[1]
    frozen = {"half_life": round(np.log(0.5) / np.log(DECAY), 9), **asdict(FROZEN)}
    assert found["settings"][found["picked"]]["constants"] == frozen
    assert list(found["settings"]) == [setting.name for setting in SETTINGS]


@pytest.mark.captures
@pytest.mark.exhaustive
def test_the_table_is_what_the_days_say(captures: Path) -> None:
    """Of the contract's constants and one setting more, where the days are."""
    if missing(captures):
        pytest.skip(f"found no {missing(captures)}")
    found, kept = find_sweep(captures, SETTINGS[:2]), read_stored(STORED_SWEEP)[1]
    assert found["settings"] == {each.name: kept["settings"][each.name] for each in SETTINGS[:2]}

"""The table for readers: short at the top, refused and undecided named."""

from typing import Any

import pytest

from training.commands.events import STORED
from training.events.lines import event_lines, full_lines, gain_text, short_lines
from training.venues.stored import read_stored


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What is kept."""
    return read_stored(STORED)[1]


def test_the_short_form_has_starts_lead_beside_chance_and_said_beside_came(
    found: dict[str, Any],
) -> None:
    """A row of each state and venue, of the model."""
    lines = short_lines(found)
    assert len(lines) == 2 + 6
    of = found["levels"]["spike"]["venues"]["BTC-e"]
    events, chances = of["rows"]["model"]["events"], of["chances"]["model"]["all"]
    cells = [cell.strip() for cell in lines[6].strip("|").split("|")]
    assert cells[:2] == ["spike", "BTC-e BTC-USD"]
    assert cells[4:7] == [f"{events['starts_a_day']:.1f}", "4", "0.000"]
    assert cells[9:] == [f"{chances['said']:.3f}", f"{chances['came']:.3f}"]


def test_a_refused_row_and_a_refused_budget_are_named(found: dict[str, Any]) -> None:
    """EWMA is in state most of the time; two elevated a day are fewer than the spikes."""
    lines = full_lines(found)
    assert any("| EWMA, calibrated | refused | – |" in line for line in lines)
    assert "| model | elevated | refused: too many starts |" in "".join(lines)


def test_the_terminal_has_the_short_form_first(found: dict[str, Any]) -> None:
    """And says of each row whether its budgets were kept."""
    lines = list(event_lines(found))
    assert lines[1:9] == short_lines(found)
    assert "elevated, budget 8 a day, EWMA, calibrated: refused" in lines
    kept = next(line for line in lines if line.startswith("spike, budget 4 a day, model"))
    assert kept.endswith("starts a day over all days, kept")


def test_a_gain_says_what_it_cannot_decide() -> None:
    """With an interval where there is one; nothing where nothing was compared."""
    better = {"value": 0.01, "low": 0.001, "high": 0.02, "verdict": "better"}
    few = {"value": -0.01, "low": None, "high": None, "verdict": "not decidable"}
    assert gain_text(better) == "+0.0100 [+0.0010, +0.0200]"
    assert gain_text(few) == "-0.0100, not decidable"
    assert gain_text(None) == "–"

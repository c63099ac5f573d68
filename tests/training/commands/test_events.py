"""``python -m training events`` where the days are absent, and how figures are told."""

from pathlib import Path

import pytest

from training.__main__ import main
from training.commands.events import STORED, event_lines
from training.venues.stored import read_stored

PAGE = Path(__file__).resolve().parents[3] / "docs" / "venues.md"


def test_without_the_days_the_stored_figures_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first line says what is missing and the digest; the JSON is the one that is kept."""
    file = tmp_path / "found.json"
    assert main(["events", "--data", str(tmp_path), "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    digest, found = read_stored(STORED)
    assert lines[0].startswith(f"stored figures of digest {digest}: found no bitmex_")
    assert lines[1:] == list(event_lines(found))
    assert read_stored(file) == (digest, found)


def test_a_refused_budget_is_said_to_be() -> None:
    """It has no θ, and the reason stands in its place."""
    line = next(event_lines(read_stored(STORED)[1]))
    assert line.startswith("θ of elevated by budget a day  2: too_many_starts, 4: 0.39")


def test_the_page_tells_what_is_kept() -> None:
    """Starts, onsets and leads of each venue, to the digits that the page has."""
    page = PAGE.read_text(encoding="utf-8")
    for name, level in read_stored(STORED)[1]["levels"].items():
        for venue, of in level["venues"].items():
            table = of["model"]
            ahead = next(each for each in table["detected"] if each["lead"] == 10)
            row = (
                f"| {name} | {venue} | {table['covered_days']:.2f} | {table['onsets']} |"
                f" {table['starts_a_day']:.2f} | {table['share_in_state']:.3f} |"
                f" {ahead['share']:.3f} | {ahead['chance']:.3f} |"
                f" {table['already_there']} of {table['starts']} |"
            )
            assert row in page

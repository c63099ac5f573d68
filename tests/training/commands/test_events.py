"""``python -m training events`` where the days are absent."""

from pathlib import Path

import pytest

from training.__main__ import main
from training.commands.events import STORED
from training.events.lines import event_lines
from training.venues.stored import read_stored


def test_without_the_days_the_stored_figures_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first line says what is missing and the digest; the JSON is the one that is kept."""
    file = tmp_path / "found.json"
    assert main(["events", "--data", str(tmp_path), "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    digest, found = read_stored(STORED)
    assert lines[0].startswith(f"stored figures of digest {digest}: found no external/bitmex_")
    assert lines[1:] == list(event_lines(found))
    assert read_stored(file) == (digest, found)

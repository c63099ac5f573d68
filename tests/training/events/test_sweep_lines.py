"""The decision's page has the table as it is kept."""

from pathlib import Path

from training.commands.events import STORED_SWEEP
from training.events.sweep_lines import COMMAND, PAGE, TABLE, sweep_lines, sweep_text, write_sweep
from training.report.marks import table_in
from training.venues.stored import read_stored

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_has_what_is_kept() -> None:
    """Line by line."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert table_in(text, TABLE, COMMAND) == sweep_lines(read_stored(STORED_SWEEP)[1])


def test_the_table_is_put_into_the_page(tmp_path: Path) -> None:
    """What stood between the marks goes, all else stays."""
    page = tmp_path / PAGE
    page.parent.mkdir(parents=True)
    page.write_text((ROOT / PAGE).read_text(encoding="utf-8").replace("| contract |", "| x |"))
    assert write_sweep(tmp_path, read_stored(STORED_SWEEP)[1]) == [PAGE]
    assert page.read_bytes() == (ROOT / PAGE).read_bytes()


def test_what_is_refused_has_no_figures() -> None:
    """It stands in the table by name, with as many cells, and does not pass."""
    found = read_stored(STORED_SWEEP)[1]
    found["settings"]["refused one"] = {"constants": {}, "levels": None, "passes": False}
    cells = [line.count("|") for line in sweep_lines(found)]
    assert len(set(cells)) == 1
    assert sweep_lines(found)[-1].startswith("| refused one | refused | – |")
    assert f"picked: {found['picked']}" in list(sweep_text(found))[1]

"""Each page has the table as it is kept."""

from pathlib import Path

import pytest

from training.commands.events import STORED
from training.events.pages import COMMAND, PAGES, write_pages
from training.report.marks import MarksError, table_in
from training.venues.stored import read_stored

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_what_is_kept(page: str) -> None:
    """Line by line."""
    name, lines = PAGES[page]
    text = (ROOT / page).read_text(encoding="utf-8")
    assert table_in(text, name, COMMAND) == lines(read_stored(STORED)[1])


def test_the_tables_are_put_into_pages(tmp_path: Path) -> None:
    """What stood between the marks goes, all else stays; a page without marks is refused."""
    found = read_stored(STORED)[1]
    (tmp_path / "docs").mkdir()
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        (tmp_path / page).write_text(text.replace("| BitMEX XBT-USD |", "| other |"))
    assert write_pages(tmp_path, found) == list(PAGES)
    for page in PAGES:
        assert (tmp_path / page).read_bytes() == (ROOT / page).read_bytes()
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(MarksError, match="no marks of the table events"):
        write_pages(tmp_path, found)

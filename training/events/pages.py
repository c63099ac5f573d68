"""Which page has which form of the table, and how it is put there."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from training.events.lines import full_lines, short_lines
from training.report.marks import with_table

COMMAND: Final = "events --write"
Lines = Callable[[Mapping[str, Any]], list[str]]
PAGES: Final[Mapping[str, tuple[str, Lines]]] = {
    "README.md": ("events", short_lines),
    "docs/venues.md": ("all events", full_lines),
    "docs/selection_rationale.md": ("events", short_lines),
}
"""By page the name of the table and its form."""


def write_pages(root: Path, found: Mapping[str, Any]) -> list[str]:
    """Put the table into every page below ``root``, and return which these are.

    Raises:
        MarksError: a page lacks its marks.
    """
    for page, (name, lines) in PAGES.items():
        path = root / page
        text = with_table(path.read_text(encoding="utf-8"), name, COMMAND, lines(found))
        path.write_text(text, encoding="utf-8")
    return list(PAGES)

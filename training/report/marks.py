"""Tables between their marks in a page: written by a command, never by hand."""

from collections.abc import Sequence

from training.errors import TrainingError


class MarksError(TrainingError):
    """A page has no place for a table."""


def table_in(page: str, name: str, command: str) -> list[str]:
    """Return the lines of one table of a page; raises ``MarksError`` where it lacks the marks."""
    return _parts(page, name, command)[1].splitlines()


def with_table(page: str, name: str, command: str, lines: Sequence[str]) -> str:
    """Put a table between its marks; what stood there goes.

    Raises:
        MarksError: the page lacks the marks.
    """
    before, _, after = _parts(page, name, command)
    return before + "\n".join(lines) + after


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown.

    >>> markdown(["a", "b"], [["1", "2"]])
    ['| a | b |', '| --- | --- |', '| 1 | 2 |']
    """
    return [_line(head), _line(["---"] * len(head)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _parts(page: str, name: str, command: str) -> tuple[str, str, str]:
    """Return the page up to the table, the table, and the rest, marks outside of the table."""
    begin = f"<!-- table {name}: written by `python -m training {command}`, never by hand -->\n"
    end = f"\n<!-- end of table {name} -->"
    before, begun, rest = page.partition(begin)
    inside, ended, after = rest.partition(end)
    if not begun or not ended:
        raise MarksError(f"found no marks of the table {name} in the page, expected both")
    return before + begin, inside, end + after

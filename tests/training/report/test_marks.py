"""Tables between marks: found, replaced, and refused where there are none."""

import pytest

from training.report.marks import MarksError, markdown, table_in, with_table

PAGE = """before
<!-- table t: written by `python -m training c`, never by hand -->
old
<!-- end of table t -->
after
"""


def test_what_stands_between_the_marks_is_replaced() -> None:
    """The rest of the page stays."""
    page = with_table(PAGE, "t", "c", ["one", "two"])
    assert table_in(page, "t", "c") == ["one", "two"]
    assert page.startswith("before\n<!--") and page.endswith("-->\nafter\n")
    assert with_table(page, "t", "c", ["old"]) == PAGE


@pytest.mark.parametrize(("name", "command"), [("other", "c"), ("t", "other")])
def test_a_page_without_the_marks_is_refused(name: str, command: str) -> None:
    """Of another table, or written by another command."""
    with pytest.raises(MarksError, match=f"no marks of the table {name}"):
        table_in(PAGE, name, command)


def test_a_table_has_a_head_and_rows() -> None:
    """In Markdown."""
    assert markdown(["a"], [["1"], ["2"]]) == ["| a |", "| --- |", "| 1 |", "| 2 |"]

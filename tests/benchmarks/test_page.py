"""The page of performance has the figures of the last run, and no others."""

import pytest

from benchmarks.measure import Result, Table
from benchmarks.page import MARK, PAGE, page, results


def test_the_page_is_that_of_the_results() -> None:
    """Written anew from what lies in ``benchmarks/results``, the page is as it stands."""
    standing = PAGE.read_text()
    found = results()
    assert "features" in [result.name for result in found]
    assert page(standing, found).rstrip("\n") + "\n" == standing


def test_what_stands_above_the_mark_stays() -> None:
    """Words by hand are kept, and tables of before are gone."""
    table = Table("Title", "Of what.", ("a", "b"), (("1", "2"),))
    where = {"cores": 2, "cpu": "c", "python": "3", "packages": {"x": None}, "load": 1.0}
    made = page(f"# Words\n{MARK}\nold", [Result("r", where, (table,), {})])
    assert made.startswith(f"# Words\n{MARK}")
    assert "| a | b |\n|---|---|\n| 1 | 2 |" in made
    assert "x not installed" in made and "old" not in made


def test_a_page_without_the_mark_is_refused() -> None:
    """Nothing is written over."""
    with pytest.raises(ValueError, match="expected one"):
        page("# Words\n", [])

"""Writes the tables of ``docs/performance.md`` from ``benchmarks/results``, of one run each.

python benchmarks/page.py
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec

from benchmarks.measure import RESULTS, Result, Table

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
MARK: Final = "<!-- What follows is written by `make bench`. -->\n"


def results() -> list[Result]:
    """Return what was found last, by name."""
    decoder = msgspec.json.Decoder(Result)
    return [decoder.decode(path.read_bytes()) for path in sorted(RESULTS.glob("*.json"))]


def page(before: str, found: Iterable[Result]) -> str:
    """Return the page: what was written by hand stays, tables are those of the results."""
    head, mark, _ = before.partition(MARK)
    if not mark:
        raise ValueError(f"found no line {MARK.strip()!r} in the page, expected one")
    return head + mark + "\n".join(line for result in found for line in _result(result))


def _result(result: Result) -> Iterator[str]:
    where = result.machine
    packages = ", ".join(
        f"{name} {version or 'not installed'}" for name, version in where["packages"].items()
    )
    yield ""
    yield (
        f"Measured on {where['cores']} cores ({where['cpu']}), Python {where['python']},"
        f" {packages}; load {where['load']} at the end of the run."
    )
    for table in result.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield from ("", f"### {table.title}", "", table.about, "")
    yield f"| {' | '.join(table.columns)} |"
    yield f"|{'---|' * len(table.columns)}"
    yield from (f"| {' | '.join(row)} |" for row in table.rows)
    yield ""


def main() -> int:
    """Write the page anew."""
    PAGE.write_text(page(PAGE.read_text(), results()).rstrip("\n") + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Pieces of a self-contained HTML page: numbers, tables, pictures, without any framework."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

STYLE: Final = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2327; margin: 0; background: #fff; }
main { max-width: 74rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .5rem; }
p { max-width: 46rem; margin: .4rem 0 .8rem; } .quiet { color: #5d666d; font-size: .9rem; }
.verdict p { max-width: none; }
.verdict { border-left: 4px solid #1b6ca8; padding: .5rem 1rem; background: #f3f7fa; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #1d2327; }
th, td { padding: .26rem .9rem .26rem 0; white-space: nowrap; vertical-align: top; }
td { border-bottom: 1px solid #e3e6e8; } td.n, th.n { text-align: right; }
tr.chosen td { background: #f3f7fa; font-weight: 600; } tr.beside td { color: #5d666d; }
img { max-width: 100%; height: auto; display: block; margin: .6rem 0; }
img.tall { max-width: 40rem; }
"""

Cell = str | float | int | None


def page(title: str, sections: Iterable[str]) -> str:
    """Return a whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>\n"
        + "\n".join(sections)
        + "\n</main></body></html>\n"
    )


def section(question: str, *parts: str) -> str:
    """Return a section that answers a question."""
    return f"<section><h2>{escape(question)}</h2>\n" + "\n".join(parts) + "</section>"


def text(words: str, *, quiet: bool = False) -> str:
    """Return a paragraph."""
    return f'<p{" class=quiet" if quiet else ""}>{escape(words)}</p>'


def sentence(words: str) -> str:
    """Return words a capital and a full stop.

    >>> sentence("fall of PR-AUC")
    'Fall of PR-AUC.'
    """
    return words[0].upper() + words[1:] + "."


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], marks: Mapping[int, str] | None = None
) -> str:
    """Return a table; ``marks`` names a class for rows by number. Numbers stand to the right."""
    listed = [list(row) for row in rows]
    right = [
        any(_numeric(row[column]) for row in listed) and column > 0 for column in range(len(heads))
    ]
    head = "".join(f"<th{_class(r)}>{escape(h)}</th>" for h, r in zip(heads, right, strict=True))
    body = "".join(
        f"<tr{_mark(marks or {}, number)}>"
        + "".join(
            f"<td{_class(r)}>{escape(shown(cell))}</td>" for cell, r in zip(row, right, strict=True)
        )
        + "</tr>"
        for number, row in enumerate(listed)
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def picture(png: bytes, words: str) -> str:
    """Return a picture inside the page."""
    data = b64encode(png).decode()
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{data}">'


def shown(cell: Cell) -> str:
    """Return a number as a person reads it.

    >>> shown(0.04021), shown(None), shown(4488), shown("not quotable")
    ('0.040', '–', '4,488', 'not quotable')
    """
    if cell is None:
        return "–"
    if isinstance(cell, bool | str):
        return str(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.3f}" if abs(cell) >= 0.01 or cell == 0 else f"{cell:.4f}"


def between(interval: Mapping[str, float] | None) -> str:
    """Return a difference and its interval.

    >>> between({"value": 0.049, "low": -0.024, "high": 0.247})
    '+0.049 (−0.024 … +0.247)'
    """
    if interval is None:
        return "not quotable"
    value, low, high = (f"{interval[n]:+.3f}".replace("-", "−") for n in ("value", "low", "high"))
    return f"{value} ({low} … {high})"


def _numeric(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _class(right: bool) -> str:
    return ' class="n"' if right else ""


def _mark(marks: Mapping[int, str], number: int) -> str:
    return f' class="{marks[number]}"' if number in marks else ""

"""Reads ``docs/features.md``: its tables, and the events of its worked example."""

from collections.abc import Iterator
from pathlib import Path

from ingestor.tick import Event
from tests.featurizer.market import SECOND, beat, break_at, tick

DOC = Path(__file__).resolve().parents[2] / "docs" / "features.md"
Line = dict[str, str]


def table(first_column: str, path: Path = DOC) -> list[Line]:
    """The rows of the table whose first two columns are named so (``"#, feature"``)."""
    lines = path.read_text().splitlines()
    wanted = first_column.split(", ")
    for start, line in enumerate(lines):
        head = cells(line)
        if line.startswith("|") and head[: len(wanted)] == wanted:
            return list(_below(head, lines[start + 2 :]))
    raise AssertionError(f"{path.name} has no table that begins with {first_column}")


def cells(line: str) -> list[str]:
    """The cells of one table line."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _below(head: list[str], lines: list[str]) -> Iterator[Line]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield dict(zip(head, cells(line), strict=True))


def number(text: str) -> float | None:
    """A cell's number; a dash is None."""
    return None if text == "–" else float(text)


def events_of(line: Line) -> list[Event]:
    """The events that one line of the example stands for; second 0 is epoch 0."""
    quote = {key: number(line[key]) for key in ("bid", "ask", "bid_size", "ask_size")}
    first, _, last = line["time"].partition("…")
    if line["event"] == "Beat":
        return [beat(second, **quote) for second in range(int(first), int(last or first) + 1)]
    time_us = round(float(first) * SECOND)
    if line["event"] == "Break":
        return [break_at(time_us)]
    return [tick(time_us, trade_id=int(line["trade_id"]), **quote)]

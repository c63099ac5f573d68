"""The tables of metrics: one style of names and of meanings, and each is read by somebody."""

import re
from collections import Counter as Count

import pytest
from prometheus_client import Counter, Histogram

from plumbing.metrics import BUCKETS, Metric
from tests.observability.boards import (
    BOARDS,
    ROOT,
    annotations,
    expanded,
    metrics_in,
    queries,
    rules,
    series,
    tables,
)

ROWS: list[Metric[Counter]] = [row for table in tables() for row in table.table().values()]
UNREAD: dict[str, str] = {}
"""Metrics that nobody reads, each with the reason why it is there."""
NO_BASE_UNITS = {"ms", "us", "milliseconds", "microseconds", "minutes", "hours", "percent", "kb"}

each = pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.name))


def _asked() -> set[str]:
    """Name what panels, annotations, recording rules and alerts read."""
    expressions = [query.expr for query in queries()]
    expressions += [expr for path in BOARDS for expr in annotations(path)]
    expressions += [rule["expr"] for file in ("alerts", "recording") for rule in rules(file)]
    return {name for expr in expressions for name in expanded(metrics_in(expr))}


def _told() -> set[str]:
    """Name what pages speak of, but for the list of all metrics."""
    pages = [path for path in (ROOT / "docs").glob("*.md") if path.name != "metrics.md"]
    return {word for path in pages for word in re.findall(r"[a-z_]+", path.read_text())}


def test_every_metric_is_read() -> None:
    """By a panel, an annotation, a rule, an alert or a page; what says nothing to them goes."""
    read = _asked() | _told()
    assert {row.name for row in ROWS if not series(row) & read} == set(UNREAD)


@each
def test_name_is_in_base_units(row: Metric[Counter]) -> None:
    """Counters end in ``_total``, times in ``_seconds``; a histogram has buckets for its unit."""
    words = row.name.split("_")
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", row.name) and not set(words) & NO_BASE_UNITS
    assert (words[-1] == "total") == (row.kind is Counter)
    assert row.unit == "seconds" or not set(words) & {"age", "duration", "timestamp", "time"}
    assert row.kind is not Histogram or row.unit in BUCKETS


@each
def test_meaning_is_a_phrase(row: Metric[Counter]) -> None:
    """It begins with a capital or a number, ends without a full stop, and fits on a line."""
    assert re.fullmatch(r"[A-Z0-9][^\n]{5,98}[^.\n]", row.help)
    assert row.unit != "seconds" or re.match(r"Time |Event time ", row.help)


def test_no_name_stands_twice() -> None:
    """Where all are scraped, a name means one thing."""
    assert [name for name, times in Count(row.name for row in ROWS).items() if times > 1] == []

"""What the observability tests read: rules, dashboards, and the metric names in an expression."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Histogram

from local.services import SERVICES
from plumbing.metrics import Metric, MetricTable, tables_of

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))

_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NAMES = re.compile(r'__name__=~"([^"]+)"')
_NOT_METRICS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan", "Inf", "NaN"})


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of a panel, with the variables still in it."""

    board: str
    panel: str
    expr: str
    instant: bool


def board(path: Path) -> dict[str, Any]:
    """Read a dashboard."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def panels(path: Path) -> list[dict[str, Any]]:
    """Return the panels of a dashboard, without its rows."""
    return [panel for panel in board(path)["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """Return each expression of each panel of each dashboard."""
    for path in BOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                instant = bool(target.get("instant"))
                yield Query(path.stem, panel["title"], target["expr"], instant)


def annotations(path: Path) -> list[str]:
    """Return what the annotations of a dashboard ask."""
    return [each["expr"] for each in board(path)["annotations"]["list"]]


@cache
def rules(name: str) -> list[dict[str, Any]]:
    """Return the rules of a file in ``grafana/rules``."""
    groups = yaml.safe_load((GRAFANA / "rules" / f"{name}.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def metrics_in(expr: str) -> set[str]:
    """Name the metrics that an expression reads; a pattern of names counts as it stands.

    >>> sorted(metrics_in('sum by (a) (rate(b_total{c="d"}[5m])) / on (e) f:g'))
    ['b_total', 'f:g']
    """
    patterns = set(_NAMES.findall(expr))
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expr)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*(\([^)]*\))?", " ", bare)
    words = {
        match.group()
        for match in _WORD.finditer(bare)
        if not re.match(r"\s*\(", bare[match.end() :]) and not bare[: match.start()][-1:].isdigit()
    }
    return {word for word in words - _NOT_METRICS if not word.startswith("$")} | patterns


def expanded(names: set[str]) -> set[str]:
    """Put what is served in place of patterns; a pattern of nothing stays."""
    matches = {name: {one for one in served() if re.fullmatch(name, one)} for name in names}
    return {one for name, found in matches.items() for one in found or {name}}


@cache
def tables() -> list[type[MetricTable]]:
    """Return the tables of all services."""
    return [table for row in SERVICES if row.metrics for table in tables_of(row.metrics)]


def series(row: Metric[Any]) -> set[str]:
    """Name what a row is scraped as."""
    parts = ("_bucket", "_count", "_sum") if row.kind is Histogram else ("",)
    return {row.name + part for part in parts}


@cache
def served() -> frozenset[str]:
    """Name all that services serve."""
    return frozenset(
        name for table in tables() for row in table.table().values() for name in series(row)
    )

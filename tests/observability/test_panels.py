"""Every panel shows something: its query, asked of a Prometheus that scraped the running system.

``PROMETHEUS_URL`` says where that Prometheus is; ``make panels-test`` insists on it.
The system must have run for some minutes, so that labels have matured.
"""

import json
import math
import os
import time
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.observability.boards import BOARDS, Query, board, queries

URL = os.environ.get("PROMETHEUS_URL", "").rstrip("/")
MINUTES = 15
COMPARED = "max(monitor_drift_products_compared) > 0"
RARE = {
    ("model", "Drift"): COMPARED,
    ("model", "State"): COMPARED,
    ("model", "Share of columns that drifted"): COMPARED,
    ("model", "Distance per column"): COMPARED,
    ("model", "Rows compared"): COMPARED,
    ("model", "Prevalence"): COMPARED,
    ("model", "Share of spikes, last day"): COMPARED,
    ("model", "Rows that know the column"): COMPARED,
    ("model", "Since the promotion"): "max(monitor_model_promoted_timestamp_seconds) > 0",
    ("model", "Recall"): "sum(monitor_quality_spikes) > 0",
    ("model", "Precision"): "sum(monitor_quality_alarms) > 0",
}
"""Panels that may be empty until something has happened, as an expression that says whether it has.

A comparison with the training rows needs most of an hour of rows; recall is not defined before
the first spike, nor precision before the first alarm. An error is never forgiven.
"""

needs_prometheus = pytest.mark.skipif(
    not URL, reason="PROMETHEUS_URL names no Prometheus that scraped the running system"
)


def filled(expr: str) -> str:
    """Put in place of variables what Grafana would at its defaults."""
    found = expr.replace("$__rate_interval", "20s").replace("$product", ".+")
    assert "$" not in found, f"an unknown variable in {expr}"
    return found


def ask(path: str, **parameters: str | float) -> Any:
    """Ask Prometheus; fails with its own words."""
    body = urllib.parse.urlencode(parameters).encode()
    request = urllib.request.Request(f"{URL}/api/v1/{path}", data=body)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as exc:
        found = json.loads(exc.read())
    assert found["status"] == "success", found.get("error")
    return found["data"]["result"]


def values(expr: str, instant: bool) -> list[float]:
    """Return all finite values that a panel would draw."""
    if instant:
        samples = [series["value"] for series in ask("query", query=filled(expr))]
    else:
        now = time.time()
        span = {"start": now - 60 * MINUTES, "end": now, "step": 15}
        series = ask("query_range", query=filled(expr), **span)
        samples = [sample for one in series for sample in one["values"]]
    return [float(value) for _, value in samples if math.isfinite(float(value))]


@needs_prometheus
@pytest.mark.parametrize(
    "query", list(queries()), ids=lambda query: f"{query.board}: {query.panel}"
)
def test_panel_has_data(query: Query) -> None:
    """The query is answered, with at least one number."""
    found = values(query.expr, query.instant)
    happened = RARE.get((query.board, query.panel))
    excused = happened is not None and not values(happened, instant=True)
    assert found or excused, f"empty: {query.expr}"


@needs_prometheus
@pytest.mark.parametrize("path", BOARDS, ids=lambda path: str(path.stem))
def test_annotations_are_understood(path: Any) -> None:
    """Prometheus answers their queries; a switch of variants is rare, so they may be empty."""
    for annotation in board(path)["annotations"]["list"]:
        values(annotation["expr"], instant=False)


@needs_prometheus
def test_rules_are_loaded_and_well() -> None:
    """No recording rule and no alert fails to be evaluated."""
    with urllib.request.urlopen(f"{URL}/api/v1/rules", timeout=30) as answer:
        groups = json.load(answer)["data"]["groups"]
    broken = [r["name"] for g in groups for r in g["rules"] if r["health"] == "err"]
    assert groups and broken == []


def test_what_may_be_empty_exists() -> None:
    """The table of rare panels names panels that there are."""
    assert set(RARE) <= {(query.board, query.panel) for query in queries()}

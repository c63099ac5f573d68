"""The budgets of the stages: code, docs and alert rules say the same."""

import importlib
import re
from math import fsum
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from ingestor.stages import STAGES, TICK_TO_PREDICTION, Stage
from plumbing.metrics import BUCKETS

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "grafana" / "rules"
BUDGETS = {stage.name: stage.budget_seconds for stage in STAGES}
METRICS = {"ingestor": "Metrics", "featurizer": "FeaturizerMetrics", "scorer": "Metrics"}
_ROW = re.compile(r"\| `(\w+)` \| `(\w+)` \|.*\| ([\d.]+) \|")


def _rules() -> list[dict[str, Any]]:
    files = sorted(RULES.glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_the_page_is_that_of_the_code() -> None:
    """The table of docs/latency.md has each stage, whose it is, and its budget, in this order."""
    page = (ROOT / "docs" / "latency.md").read_text()
    found = [(name, service, float(budget)) for name, service, budget in _ROW.findall(page)]
    assert found == [(stage.name, stage.service, stage.budget_seconds) for stage in STAGES]


def test_the_alert_knows_each_budget() -> None:
    """The recorded budgets are those of the code, and the alert compares with them."""
    recorded = [rule for rule in _rules() if rule.get("record") == "stage:budget_seconds"]
    budgets = {rule["labels"]["stage"]: rule["expr"] for rule in recorded}
    assert budgets == {name: f"vector({budget:g})" for name, budget in BUDGETS.items()}
    [alert] = [rule for rule in _rules() if rule.get("alert") == "StageOverBudget"]
    assert "> on (stage) stage:budget_seconds" in alert["expr"]


def test_the_parts_add_up_to_the_whole() -> None:
    """What the stages may take together is what the whole may."""
    parts = [stage.budget_seconds for stage in STAGES if stage is not TICK_TO_PREDICTION]
    assert fsum(parts) == pytest.approx(TICK_TO_PREDICTION.budget_seconds)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_is_a_series_with_its_budget_as_a_bucket(stage: Stage) -> None:
    """The service shows it from the start, so that a quantile at the budget is exact."""
    assert stage.budget_seconds in BUCKETS["seconds"]
    registry = CollectorRegistry()
    made = getattr(importlib.import_module(f"{stage.service}.metrics"), METRICS[stage.service])
    made(registry, ()) if stage.service == "ingestor" else made(registry)
    labels = {"stage": stage.name, "le": str(stage.budget_seconds)}
    name = f"{stage.service}_stage_duration_seconds_bucket"
    assert registry.get_sample_value(name, labels) == 0

"""Alerts, their unit tests, the runbook and the metrics agree with each other."""

import re
from functools import cache

import pytest
import yaml

from plumbing.metrics import BUCKETS
from tests.observability.boards import GRAFANA, ROOT, expanded, metrics_in, rules, served

ALERTS = [rule for rule in rules("alerts") if "alert" in rule]
RECORDED = [rule for rule in rules("recording") if "record" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})
SEVERITIES = {"page", "ticket", "info", "none"}
FOREIGN = {"up", "prometheus_rule_evaluation_failures_total"}
"""Metrics of Prometheus itself."""


@cache
def _unit_tests() -> dict[str, list[list[object]]]:
    """What each alert is expected to give, in all of ``grafana/tests``.

    Alerts by the dozen are expected as a count of the series ``ALERTS``.
    """
    found: dict[str, list[list[object]]] = {}
    for path in sorted((GRAFANA / "tests").glob("*.yml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("alert_rule_test", ()):
                found.setdefault(case["alertname"], []).append(case["exp_alerts"])
            for case in test.get("promql_expr_test", ()):
                if named := re.search(r'ALERTS\{alertname="(\w+)"', case["expr"]):
                    found.setdefault(named[1], []).append(case["exp_samples"])
    return found


def _read() -> set[str]:
    """Name what rules read of services and of Prometheus, not what they record."""
    read = {name for rule in (*ALERTS, *RECORDED) for name in expanded(metrics_in(rule["expr"]))}
    return {name for name in read if ":" not in name}


@pytest.mark.parametrize("name", NAMES)
def test_alert_has_a_unit_test_in_which_it_fires(name: str) -> None:
    """`make rules-test` sees every alert fire."""
    assert any(_unit_tests().get(name, ())), f"no unit test lets {name} fire"


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"Watchdog", "TargetDown"}))
def test_alert_has_a_unit_test_in_which_it_is_silent(name: str) -> None:
    """No alert fires always but the heartbeat; TargetDown names what is down beside what is not."""
    assert [] in _unit_tests()[name]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_alert_says_severity_summary_and_where_to_read(rule: dict[str, dict[str, str]]) -> None:
    """The runbook has a section of the alert's name, to which the alert's link leads."""
    name = str(rule["alert"])
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert f"\n## {name}\n" in (ROOT / "docs" / "runbook.md").read_text()


def test_runbook_names_how_each_alert_was_seen() -> None:
    """The table of the runbook has a row for each alert and none for others."""
    page = (ROOT / "docs" / "runbook.md").read_text()
    rows = re.findall(r"^\| \[(\w+)\]\(#(\w+)\) \|", page, re.MULTILINE)
    assert sorted(name for name, _ in rows) == NAMES
    assert all(anchor == name.lower() for name, anchor in rows)


def test_only_the_desk_is_told_of_spikes() -> None:
    """The desk's alert is routable by its label, and no operational alert carries it."""
    audience = {rule["alert"]: rule["labels"].get("audience") for rule in ALERTS}
    assert {name for name, to in audience.items() if to == "desk"} == {"SpikePredicted"}


def test_rules_read_what_services_serve() -> None:
    """No rule reads a metric that nobody serves."""
    assert _read() - served() - FOREIGN == set()


def test_a_missing_metric_is_noticed() -> None:
    """MetricMissing watches each metric that a rule reads."""
    watched = next(rule["expr"] for rule in ALERTS if rule["alert"] == "MetricMissing")
    names = set(re.findall(r'"metric", "(\w+)"', watched))
    assert names == expanded(metrics_in(watched)), "each absent() names its own metric"
    assert _read() - names - FOREIGN == set()


def test_rules_of_rules_are_recorded() -> None:
    """No rule reads a recording that is not made."""
    recorded = {rule["record"] for rule in RECORDED}
    read = {n for rule in (*ALERTS, *RECORDED) for n in metrics_in(rule["expr"]) if ":" in n}
    assert read - recorded == set()


def test_constants_are_budgets_and_the_heartbeat() -> None:
    """No rule looks healthy by a constant in place of missing data."""
    constant = [rule for rule in (*ALERTS, *RECORDED) if "vector(" in rule["expr"]]
    assert {rule.get("record") or rule["alert"] for rule in constant} == {
        "slo:budget:ratio",
        "stage:budget_seconds",
        "Watchdog",
    }
    assert all(re.fullmatch(r"vector\([0-9.]+\)", rule["expr"]) for rule in constant)


def test_latency_is_counted_at_a_bucket() -> None:
    """The bound of the objective is a bucket of every histogram of seconds."""
    assert 0.8 in BUCKETS["seconds"]


def test_jobs_are_the_services() -> None:
    """Targets that have to be there are scraped, under the names that the alert asks for."""
    config = yaml.safe_load((GRAFANA / "prometheus.yml").read_text())
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    down = " ".join(rule["expr"] for rule in ALERTS if rule["alert"] == "TargetDown")
    assert set(re.findall(r'absent\(up\{job="([\w-]+)"', down)) == jobs - {"simulator"}
    lists = re.findall(r'job=~"([^"]+)"', down)
    assert {job for each in lists for job in each.split("|")} == jobs

"""Rules and dashboards that are handed out: each question names one release, and only one."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.observability.boards import ROOT, metrics_in, queries, rules


def load(path: Path) -> ModuleType:
    """Return a module by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BOUND = load(ROOT / "manifests" / "bound.py")
HERE = 'bound_namespace="BOUND_NAMESPACE",bound_release="BOUND_RELEASE"'
FILES = BOUND.files()


def handed_out(folder: str) -> dict[str, str]:
    """Return the texts of a folder by name."""
    return {path.name: text for path, text in FILES.items() if path.parent.name == folder}


def rules_of(name: str) -> list[dict[str, Any]]:
    """Return the rules of a file that is handed out."""
    groups = yaml.safe_load(handed_out("rules")[name])["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    """Return every expression of rules and panels that is handed out."""
    boards = "\n".join(handed_out("dashboards").values())
    of_boards = [json.loads(f'"{text}"') for text in re.findall(r'"expr": "(.*)"', boards)]
    return of_boards + [rule["expr"] for name in handed_out("rules") for rule in rules_of(name)]


def test_the_charts_files_are_made_of_these() -> None:
    """`make manifests` was run after the last change of grafana/."""
    there = {path: path.read_text() for path in BOUND.BOUND.rglob("*.*")}
    assert there == FILES


@pytest.mark.parametrize(
    ("expr", "bound"),
    [
        ("up", f"up{{{HERE}}}"),
        ("max(kafka_up{})", f"max(kafka_up{{{HERE}}})"),
        ('sum by (le) (rate(a_b{c="}d"}[5m]))', f'sum by (le) (rate(a_b{{c="}}d",{HERE}}}[5m]))'),
        ('{__name__=~"(a|b)_c"}', f'{{__name__=~"(a|b)_c",{HERE}}}'),
        ("time() - x offset 15s", f"time() - x{{{HERE}}} offset 15s"),
        ("a:b / on (slo) group_left 2", f"a:b{{{HERE}}} / on (slo) group_left 2"),
        (
            'absent(up{job="a"}) or max by (job) (x)',
            f'absent(up{{bound_component="a",{HERE}}}) or max by (bound_component) (x{{{HERE}}})',
        ),
        ("sum_over_time(a:b[1d:1m]) * 60", f"sum_over_time(a:b{{{HERE}}}[1d:1m]) * 60"),
        ("vector(0.005)", "vector(0.005)"),
        ('label_replace(x, "a", "job", "", "")', f'label_replace(x{{{HERE}}}, "a", "job", "", "")'),
    ],
)
def test_each_selector_names_the_release(expr: str, bound: str) -> None:
    """Whatever stands around it; texts, ranges and functions stay."""
    assert BOUND.bound(expr) == bound


def test_nothing_is_asked_of_all_releases() -> None:
    """Every metric of every expression is followed by the release's matchers."""
    found = expressions()
    assert len(found) > 200
    for expr in found:
        for name in metrics_in(expr) - {"bound_component"}:
            if "|" in name or "(" in name:
                assert f'__name__=~"{name}",{HERE}' in expr, expr
                continue
            after = re.findall(rf'(?<![\w:"]){re.escape(name)}(?![\w:"])(\{{[^}}]*|)', expr)
            assert after and all(HERE in text for text in after), expr


def test_the_same_is_asked_as_in_grafana() -> None:
    """The metrics are those of the files that compose and the chart's own Prometheus have."""
    theirs = {name for query in queries() for name in metrics_in(query.expr)}
    theirs |= {
        name
        for each in ("alerts", "recording")
        for rule in rules(each)
        if rule.get("alert") not in BOUND.OF_PROMETHEUS
        for name in metrics_in(rule["expr"])
    }
    ours = {name for expr in expressions() for name in metrics_in(expr)}
    assert ours == theirs


def test_what_fires_and_what_is_recorded_says_whose_it_is() -> None:
    """By the same labels; what tells of the Prometheus itself is left to its owner."""
    alerts = rules_of("alerts.yml")
    names = {rule["alert"] for rule in alerts}
    whole = {rule["alert"] for rule in rules("alerts")}
    assert whole - names == {"RuleFailing", "Watchdog"}
    for rule in [*alerts, *rules_of("recording.yml")]:
        assert rule["labels"] | BOUND.WHERE == rule["labels"]
        assert "$labels.job" not in str(rule)
    assert not re.search(r'"(alertmanager|prometheus)"', str([r["expr"] for r in alerts]))


def test_dashboards_have_an_identity_of_their_own() -> None:
    """So that those of several releases stand side by side, and link to their own."""
    boards = [json.loads(text) for text in handed_out("dashboards").values()]
    assert {board["uid"].partition("-")[0] for board in boards} == {"BOUND_UID"}
    for board in boards:
        assert board["title"].endswith("BOUND_NAMESPACE/BOUND_RELEASE")
        assert all(link["tags"] == ["BOUND_NAMESPACE/BOUND_RELEASE"] for link in board["links"])
        assert "{{job}}" not in str(board)
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                assert HERE in str(variable["query"])

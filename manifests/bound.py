"""``python manifests/bound.py``: rules and dashboards of grafana/ for a Prometheus that has more.

In ours every series is this release's. Elsewhere there are other releases, so that each selector
names one, and what is recorded or fires has it as labels. The chart puts names in place of the
words below and hands the files out (`monitoring.elsewhere`).
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
GRAFANA: Final = ROOT / "grafana"
BOUND: Final = ROOT / "charts" / "crypto-volatility" / "files" / "bound"

WHERE: Final = {"bound_namespace": "BOUND_NAMESPACE", "bound_release": "BOUND_RELEASE"}
"""Label and value by which a release is told from others, as the chart finds them."""
COMPONENT: Final = "bound_component"
"""The label that stands for ``job``, by which rules and dashboards know services."""
UID: Final = "BOUND_UID"
OF_PROMETHEUS: Final = {"RuleFailing", "Watchdog"}
"""Alerts about the Prometheus that evaluates them, which is not ours there."""
OF_MONITORING: Final = ("alertmanager", "prometheus")
"""Jobs that need not be there."""

_MATCHERS: Final = ",".join(f'{label}="{value}"' for label, value in WHERE.items())
_WORD: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_TEXT: Final = r'"(?:[^"\\]|\\.)*"'
_TOKEN: Final = re.compile(
    rf"""
    (?P<text>{_TEXT}) | (?P<range>\[[^]]*\]) | (?P<number>\d[\w.]*)
    | (?P<labels>\b(?:by|without|on|ignoring|group_left|group_right)\b\s*(?:\([^)]*\))?)
    | (?P<name>{_WORD})?(?P<braces>\{{(?:[^}}"]|{_TEXT})*\}})
    | (?P<bare>{_WORD})(?![\w:])(?!\s*\()
    """,
    re.VERBOSE,
)
_OPERATORS: Final = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
_AGGREGATIONS: Final = {
    *("sum", "min", "max", "avg", "count", "group", "stddev", "stdvar"),
    *("topk", "bottomk", "quantile", "count_values"),
}
_ABSENT: Final = re.compile(rf'\s+or absent\(up\{{job="({"|".join(OF_MONITORING)})"\}}\)')
_VALUES: Final = re.compile(r"label_values\((?P<of>.+),\s*(?P<label>\w+)\)")


def bound(expr: str) -> str:
    """Return an expression whose every selector names one release; ``job`` is the component."""
    return _TOKEN.sub(_bound_token, expr)


def _bound_token(found: re.Match[str]) -> str:
    if found["labels"]:
        return re.sub(r"\bjob\b", COMPONENT, found["labels"])
    if found["braces"]:
        inner = re.sub(r"\bjob(?=\s*(=|!))", COMPONENT, found["braces"][1:-1].strip())
        return f"{found['name'] or ''}{{{','.join(filter(None, (inner, _MATCHERS)))}}}"
    if found["bare"] and found["bare"] not in _OPERATORS | _AGGREGATIONS:
        return f"{found['bare']}{{{_MATCHERS}}}"
    return found.group()


def bound_rules(text: str) -> str:
    """Return a file of rules, bound to one release."""
    groups = yaml.safe_load(text)["groups"]
    for group in groups:
        kept = [rule for rule in group["rules"] if rule.get("alert") not in OF_PROMETHEUS]
        group["rules"] = [_bound_rule(rule) for rule in kept]
    text = yaml.safe_dump({"groups": groups}, sort_keys=False, width=10_000, allow_unicode=True)
    return re.sub(r": (BOUND_\w+)$", r': "\1"', text, flags=re.MULTILINE)


def _bound_rule(rule: dict[str, Any]) -> dict[str, Any]:
    told = {
        name: text.replace("$labels.job", f"$labels.{COMPONENT}")
        for name, text in rule.get("annotations", {}).items()
    }
    changed = rule | {
        "expr": bound(_ABSENT.sub("", rule["expr"])),
        "labels": rule.get("labels", {}) | WHERE,
    }
    return changed | ({"annotations": told} if told else {})


def bound_dashboard(text: str) -> str:
    """Return a dashboard, bound to one release, with an identity of its own."""
    board = _bound_part(json.loads(text))
    which = "/".join(WHERE.values())
    board |= {
        "uid": f"{UID}-{board['uid']}",
        "title": f"{board['title']}, {which}",
        "tags": [*board["tags"], which],
        "links": [link | {"tags": [which]} for link in board["links"]],
    }
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"


def _bound_part(part: Any) -> Any:
    """Return a part of a dashboard with its queries bound, however deep they stand."""
    if isinstance(part, list):
        return [_bound_part(each) for each in part]
    if not isinstance(part, dict):
        return _bound_query(part) if isinstance(part, str) else part
    return {
        COMPONENT if key == "job" else key: bound(each) if key == "expr" else _bound_part(each)
        for key, each in part.items()
    }


def _bound_query(text: str) -> str:
    """Return a text of a dashboard: a question for values is bound, a legend is renamed."""
    text = _VALUES.sub(lambda m: f"label_values({bound(m['of'])}, {m['label']})", text)
    return text.replace("{{job}}", f"{{{{{COMPONENT}}}}}")


def files() -> dict[Path, str]:
    """Return what is to stand in the chart, by path."""
    rules = {
        BOUND / "rules" / path.name: bound_rules(path.read_text())
        for path in sorted((GRAFANA / "rules").glob("*.yml"))
    }
    boards = {
        BOUND / "dashboards" / path.name: bound_dashboard(path.read_text())
        for path in sorted((GRAFANA / "dashboards").glob("*.json"))
    }
    return rules | boards


def main() -> None:
    """Write the files, and remove those of what is gone."""
    wanted = files()
    for path in BOUND.rglob("*.*"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sys.stdout.write(f"{len(wanted)} files in {BOUND.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()

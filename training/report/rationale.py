"""The tables of ``docs/selection_rationale.md``, written from a run's report and never by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from training.errors import TrainingError
from training.models.candidates import CANDIDATES
from training.report.marks import markdown, with_table

COMMAND: Final = "rationale"
HONEST: Final = "leave_group_out"
FLATTERING: Final = "published"
COLUMNS: Final = (
    "candidate",
    "PR-AUC, random split",
    "PR-AUC, honest",
    "the rule's",
    "ROC-AUC",
    "Brier",
    "the rule's",
    "ECE",
    "F1",
)
MINUTE_COLUMNS: Final = (
    "days tested",
    "rows",
    "prevalence",
    "PR-AUC",
    "last range's",
    "ROC-AUC",
    "last range's",
    "Brier",
    "last range's",
)

Report = Mapping[str, Any]


class RationaleError(TrainingError):
    """A report has no such table."""


def honest_lines(report: Report) -> list[str]:
    """Return the table of all candidates, simple first, with the prevalence they share.

    Raises:
        RationaleError: the report lacks one of the two protocols.
    """
    honest, flattering = (_candidates(report, name) for name in (HONEST, FLATTERING))
    rows = [_row(name, pair, flattering.get(name)) for name, pair in honest.items()]
    return [*_about(report, honest), "", *markdown(COLUMNS, rows)]


def _candidates(report: Report, name: str) -> Report:
    for protocol in report.get("protocols", ()):
        if protocol["name"] == name:
            candidates: Report = protocol["candidates"]
            return candidates
    raise RationaleError(f"found no protocol {name} in the report, expected it")


def _about(report: Report, honest: Report) -> list[str]:
    rule, chosen = next(iter(honest.values()))["rv60_rule"], report["chosen"]
    return [
        f"Data `{report['dataset']['digest'][:12]}`: {rule['rows']} rows, prevalence"
        f" {rule['prevalence']:.4f}.",
        f"Chosen: {_title(chosen['candidate'])}, calibrated by {chosen['calibration']};"
        f" {chosen['reason']}.",
    ]


def _title(name: str) -> str:
    return CANDIDATES[name].title if name in CANDIDATES else name


def _row(name: str, pair: Report, flattered: Report | None) -> list[str]:
    model, rule = pair["model"], pair["rv60_rule"]
    return [
        _title(name),
        _number(flattered["model"]["pr_auc"]) if flattered else "–",
        *(_number(each["pr_auc"]) for each in (model, rule)),
        _number(model["roc_auc"]),
        *(_number(each["brier"]) for each in (model, rule)),
        _number(model["ece"]),
        _number(model["f1"]),
    ]


def minute_lines(report: Report) -> list[str]:
    """Return the table of the minute rows: a logistic regression beside the last-range rule.

    Raises:
        RationaleError: the report has no minute rows.
    """
    if not report.get("minutes"):
        raise RationaleError("found no minute rows in the report, expected them")
    found = report["minutes"][0]
    parts = [*found["parts"], found["pooled"] | {"part": "all"}]
    return markdown(MINUTE_COLUMNS, [_minute_row(part) for part in parts])


def _minute_row(part: Report) -> list[str]:
    pair = (part["logistic_regression"], part["rule"])
    return [
        part["part"],
        str(part["rows"]),
        _number(part["prevalence"]),
        *(_number(each[name]) for name in ("pr_auc", "roc_auc", "brier") for each in pair),
    ]


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "–" if value is None else "not quotable"


TABLES: Final[Mapping[str, Callable[[Report], list[str]]]] = {
    "honest": honest_lines,
    "minutes": minute_lines,
}


def with_tables(page: str, report: Report) -> str:
    """Put a report's tables between their marks; what stood there goes.

    Raises:
        RationaleError: the report lacks a table.
        MarksError: the page lacks its marks.
    """
    for name, lines in TABLES.items():
        page = with_table(page, name, COMMAND, lines(report))
    return page


def write_tables(page: Path, report: Report) -> None:
    """Write a report's tables into the page.

    Raises:
        RationaleError: the report lacks a table.
        MarksError: the page lacks its marks.
    """
    text = with_tables(page.read_text(encoding="utf-8"), report)
    page.write_text(text, encoding="utf-8")

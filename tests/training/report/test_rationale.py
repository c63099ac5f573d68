"""The selection rationale: its tables are a run's, its numbers those the commands print."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from training.commands.rationale import run
from training.external.minutes import evaluate_minutes
from training.external.seed_figure import evaluate_seed_figure
from training.models.candidates import CANDIDATES
from training.report.marks import MarksError, table_in
from training.report.rationale import (
    COMMAND,
    RationaleError,
    honest_lines,
    minute_lines,
    with_tables,
)

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "selection_rationale.md"


def figures(pr_auc: Any = 0.5) -> dict[str, Any]:
    """Make the figures of one part."""
    return {
        "rows": 100,
        "prevalence": 0.1,
        "pr_auc": pr_auc,
        "roc_auc": None,
        "brier": 0.08,
        "ece": 0.01,
        "f1": 0.4,
    }


@pytest.fixture
def report() -> dict[str, Any]:
    """A report with two candidates, one of which the random split never evaluated."""
    pair = {"model": figures(0.61), "rv60_rule": figures("PR-AUC not quotable here")}
    week = {"part": "one week", "rows": 7, "prevalence": 0.05}
    week |= {"logistic_regression": figures(0.4), "rule": figures(0.3)}
    return {
        "dataset": {"digest": "0123456789abcdef"},
        "chosen": {"candidate": "har_equal", "calibration": "errors", "reason": "it is simple"},
        "protocols": [
            {"name": "leave_group_out", "candidates": {"rule": pair, "har_equal": pair}},
            {"name": "published", "candidates": {"rule": pair}},
        ],
        "minutes": [{"parts": [week], "pooled": week}],
    }


def test_a_report_gives_both_tables(report: dict[str, Any]) -> None:
    """Figures have four digits; what is not quotable or not known says so."""
    lines = honest_lines(report)
    assert lines[0] == "Data `0123456789ab`: 100 rows, prevalence 0.1000."
    title = CANDIDATES["har_equal"].title
    assert lines[-1] == (
        f"| {title} | – | 0.6100 | not quotable | – | 0.0800 | 0.0800 | 0.0100 | 0.4000 |"
    )
    assert minute_lines(report)[-1] == (
        "| all | 7 | 0.0500 | 0.4000 | 0.3000 | – | – | 0.0800 | 0.0800 |"
    )


def test_tables_are_written_between_their_marks(report: dict[str, Any], tmp_path: Path) -> None:
    """The command changes the tables and nothing else; writing twice changes nothing more."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    (tmp_path / "report.json").write_text(json.dumps(report))

    class Options:
        run_folder = tmp_path

    options: Any = Options()
    options.page = page
    assert run(options, None) == 0
    text = page.read_text()
    assert table_in(text, "honest", COMMAND) == honest_lines(report)
    assert with_tables(text, report) == text
    outside = [line for line in PAGE.read_text().splitlines() if not line.startswith("|")]
    assert set(outside) - set(text.splitlines()) <= set(
        table_in(PAGE.read_text(), "honest", COMMAND)
    )


def test_what_is_missing_is_named(report: dict[str, Any]) -> None:
    """A page without marks and a report without a protocol or minutes are refused."""
    with pytest.raises(MarksError, match="no marks of the table honest"):
        with_tables("no marks", report)
    with pytest.raises(RationaleError, match="no protocol published"):
        honest_lines(report | {"protocols": report["protocols"][:1]})
    with pytest.raises(RationaleError, match="no minute rows"):
        minute_lines(report | {"minutes": []})


@pytest.mark.captures
def test_the_page_tells_what_seed_figure_prints(captures: Path) -> None:
    """Each number in bold is the command's, in its order."""
    found = evaluate_seed_figure(captures / "seed_features_sample_1000rows.parquet")
    figure = [f"{found['published'][name]:.4f}" for name in ("pr_auc", "precision", "recall")]
    shown = [check["shown"] for check in found["checks"]]
    assert re.findall(r"\*\*(.+?)\*\*", PAGE.read_text()) == [*figure, *shown]


@pytest.mark.captures
def test_the_page_tells_what_minutes_prints(captures: Path) -> None:
    """The table of minutes is that of the file."""
    found = evaluate_minutes(captures / "exch_minutes_btc_20260706_20260805.csv.gz")
    assert table_in(PAGE.read_text(), "minutes", COMMAND) == minute_lines({"minutes": [found]})

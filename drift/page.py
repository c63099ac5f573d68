"""The page that says in words and numbers what was found; the figures stand one link further."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import quote

from drift.comparison import SHARE, STEP_SECONDS, WINDOW_SECONDS, State
from drift.day import DAY_SECONDS
from drift.findings import Finding
from drift.models import PromotedModels

STATE_WORDS: Final[dict[State, str]] = {
    "compared": "compared",
    "too_few_rows": "not compared: too few rows in the window yet",
    "stale": "not compared: the newest row is older than a window",
    "no_rows": "not compared: no rows in the topic",
    "no_predictions": "not compared: rows without predictions, so the model is unknown",
    "other_model": "not compared: the model that scored these rows is not in the folder of models",
    "no_reference": "not compared: the model brings no training rows of this product",
    "no_level": "not compared: its newest row is under no established level yet",
    "short_reference": "not compared: the model learned from too few seconds of this product",
}
_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:16px/1.45 system-ui,sans-serif;margin:1rem}"
    "main{max-width:70rem;margin:auto}td,th{padding:.2rem .4rem;text-align:right}"
    "th:first-child,td:first-child{text-align:left}.drifted{font-weight:700;outline:2px solid}"
    ".scroll{overflow-x:auto}"
)
"""The system's own colours, light or dark: black on white in neither, whatever serves the page."""


def summary_of(findings: Sequence[Finding], models: PromotedModels, at_us: int) -> dict[str, Any]:
    """Return what was found as JSON knows it; null is unknown."""
    return {
        "made": _time(at_us),
        "window_seconds": WINDOW_SECONDS,
        "refused": dict(models.refused),
        "products": [_product(finding) for finding in findings],
    }


def _product(finding: Finding) -> dict[str, Any]:
    found, model = finding.comparison, finding.model
    return {
        "product": finding.product,
        "state": found.state,
        "drifted": found.detected,
        "share": found.share,
        "rows": found.rows,
        "seconds": found.seconds,
        "reference_rows": found.reference_rows,
        "window_end": None if finding.end_us is None else _time(finding.end_us),
        "feed": finding.feed,
        "variant": model.info.variant if model else None,
        "version": model.info.version if model else None,
        "prevalence": {"live": finding.live_prevalence, "training": finding.training_prevalence},
        "labelled": finding.labelled,
        "columns": {
            name: {"value": c.value, "threshold": c.threshold, "drifted": c.drifted}
            for name, c in found.columns.items()
        },
    }


def page_of(
    findings: Sequence[Finding], models: PromotedModels, at_us: int, suffix: str = ""
) -> bytes:
    """Return the page; ``suffix`` is put after the names of the reports it links to."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Drift</title><style>{_STYLE}</style></head><body><main>",
        "<h1>Drift against the training rows</h1>",
        f"<p>Made {_time(at_us)}. One row in {STEP_SECONDS} s of event time, against what the"
        " serving model learned from. Of a model in units of levels the columns are its inputs of"
        f" the last {DAY_SECONDS} s, and a value is their Wasserstein distance in natural"
        f" logarithms; of one of before, features and score of the last {WINDOW_SECONDS} s, in"
        " deviations of the training rows. A product has drifted where at least"
        f" {SHARE:.0%} of its columns have.</p>",
    ]
    parts += [f"<p>Refused: {escape(n)}: {escape(why)}</p>" for n, why in models.refused.items()]
    for finding in findings:
        parts += _section(finding, suffix)
    if not findings:
        parts.append(
            "<p>No product is known: the topics hold no rows, the models no reference.</p>"
        )
    return "\n".join([*parts, "</main></body></html>"]).encode()


def _section(finding: Finding, suffix: str) -> list[str]:
    found, name = finding.comparison, escape(finding.product)
    verdict = STATE_WORDS[found.state] if found.detected is None else _verdict(found.detected)
    model = finding.model
    lines = [f"<h2>{name}: {verdict}</h2>", f"<p>{found.rows} rows in the window"]
    lines[-1] += f", {found.reference_rows} training rows" if found.reference_rows else ""
    lines[-1] += f", model {model.info.variant} {model.info.version}" if model else ""
    lines[-1] += f", ends {_time(finding.end_us)}" if finding.end_us is not None else ""
    lines[-1] += (
        f". Share of spikes {_number(finding.live_prevalence)} (training"
        f" {_number(finding.training_prevalence)}), {finding.labelled} labelled"
        " seconds under an established level.</p>"
    )
    if found.html is not None:
        link = "drift/" + quote(finding.product, safe="") if not suffix else ""
        link = link or quote(quote(finding.product, safe="") + suffix)
        lines.append(f'<p><a href="{link}">Evidently\'s report</a></p>')
    return lines + (_table(finding) if found.columns else [])


def _verdict(detected: bool) -> str:
    return "drifted" if detected else "not drifted"


def _table(finding: Finding) -> list[str]:
    lines = ['<div class="scroll" tabindex="0" role="group" aria-label="Columns">']
    lines += ["<table><tr><th>column<th>distance<th>threshold<th>known live<th>known in training"]
    for name, c in finding.comparison.columns.items():
        mark = ' class="drifted"' if c.drifted else ""
        lines.append(
            f"<tr{mark}><td>{name}<td>{_number(c.value)}<td>{c.threshold}"
            f"<td>{c.known_window:.0%}<td>{c.known_reference:.0%}"
        )
    return [*lines, "</table></div>"]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _time(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

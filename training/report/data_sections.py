"""The report's sections on data: holdout capture, other products, minutes, recordings."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.report.html import Cell, between, section, table, text

Document = Mapping[str, Any]


def holdout_section(report: Document) -> Iterator[str]:
    """Return what the holdout capture said, where it was opened."""
    holdout = report["sealed"]
    if holdout is None:
        yield section("And on the holdout capture?", text("It was not opened by this run."))
        return
    rows: list[list[Cell]] = [
        [part, variant, *_both(pair), between(pair["brier_above_rule"])]
        for part, variants in holdout["parts"].items()
        for variant, pair in variants.items()
    ]
    files = ", ".join(each["file"] for each in holdout["files"])
    words = f"{files}: opened by this run, after every choice was made. τ and thresholds as above."
    heads = ["part", "variant", "rows", "prevalence", "PR-AUC", "rule's", "Brier", "rule's", "F1"]
    heads += ["rule's", "Brier above the rule"]
    yield section("And on the holdout capture?", text(words), table(heads, rows))


def _both(pair: Document) -> list[Cell]:
    model, rule = pair["model"], pair["rv60_rule"]
    return [
        model["rows"],
        model["prevalence"],
        _precision(model["pr_auc"]),
        _precision(rule["pr_auc"]),
        model["brier"],
        rule["brier"],
        model["f1"],
        rule["f1"],
    ]


def other_sections(report: Document) -> Iterator[str]:
    """Return products that nothing was learned from, then the minute rows."""
    if report["other_products"]:
        rows: list[list[Cell]] = [
            [product, *_both(pair)] for product, pair in report["other_products"].items()
        ]
        words = (
            "Its spikes stand in one group of captures, so nothing is learned from them, and a row"
            " names no product: scores are the chance of the τ that was learned."
        )
        heads = ["product", "rows", "prevalence", "PR-AUC", "rule's", "Brier", "rule's", "F1"]
        yield section("And for another product?", text(words), table([*heads, "rule's"], rows))
    yield from (_minutes(each) for each in report["minutes"])


def _minutes(found: Document) -> str:
    parts = [(part["part"], part) for part in found["parts"]]
    parts += [("pooled", found["pooled"])] if found["pooled"] else []
    rows: list[list[Cell]] = [
        [
            name,
            part["rows"],
            part["prevalence"],
            _precision(part["logistic_regression"]["pr_auc"]),
            _precision(part["rule"]["pr_auc"]),
            part["logistic_regression"]["roc_auc"],
            part["rule"]["roc_auc"],
            part["logistic_regression"]["brier"],
            part["rule"]["brier"],
        ]
        for name, part in parts
    ]
    heads = ["part", "rows", "prevalence", "PR-AUC", "rule's", "ROC-AUC", "rule's", "Brier"]
    return section(
        "Does volatility cluster where there is a month of data?",
        text(
            f"{found['file']}: {found['minutes_recorded']:,} minutes, features of their own. The"
            f" question: {found['question']}. A plain logistic regression beside the last-range"
            f" rule; {found['protocol']}."
        ),
        table([*heads, "rule's"], rows),
    )


def data_section(report: Document) -> str:
    """Return the recordings behind it all, τ, and what was left out."""
    data = report["dataset"]
    rows: list[list[Cell]] = [
        [each["file"], each["group"], each["first"][:19], ", ".join(_usable(each["usable_rows"]))]
        for each in data["captures"]
    ]
    tau = ", ".join(f"{product} {value * 1e4:.2f} bps" for product, value in data["tau"].items())
    return section(
        "What was it learned from?",
        text(f"τ: {tau} over 60 s. One row per product and second, its last."),
        table(["recording", "group", "from (UTC)", "usable rows"], rows),
        (
            text("Left out: " + "; ".join(f"{e['file']}: {e['reason']}" for e in data["left_out"]))
            if data["left_out"]
            else ""
        ),
        (
            text("To know: " + "; ".join(f"{e['file']}: {e['note']}" for e in data["notes"]))
            if data.get("notes")
            else ""
        ),
        text(f"Dataset {data['digest']}; features {data['features_digest']}.", quiet=True),
    )


def _usable(rows: Mapping[str, int]) -> list[str]:
    return [f"{count:,} {product}" for product, count in rows.items()]


def _precision(value: float | str) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "not quotable"

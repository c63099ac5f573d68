"""The report of a training as one HTML page: a question, a table, and a picture where it helps."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.evaluation.measures import NOT_QUOTABLE
from training.models.calibration import METHODS
from training.models.candidates import CANDIDATES, RULE_NAME
from training.report.data_sections import data_section, holdout_section, other_sections
from training.report.html import Cell, between, page, picture, section, sentence, table, text

Document = Mapping[str, Any]
Plots = Mapping[str, bytes]


def html_of(report: Document, plots: Plots) -> str:
    """Return the page for a report (as in report.json) and its plots."""
    return page(
        "Volatility spikes: what was trained, and what it is worth", _sections(report, plots)
    )


def _sections(report: Document, plots: Plots) -> Iterator[str]:
    yield _head(report)
    yield _against_rule(report, plots)
    yield _flattered(report)
    yield _parts(report)
    yield _calibrated(report, plots)
    yield _alert_load(report)
    yield _looks_at(report)
    yield _over_price(plots)
    yield from holdout_section(report)
    yield from other_sections(report)
    yield data_section(report)


def _head(report: Document) -> str:
    chosen = report["chosen"]
    verdict = "decided" if chosen["decidable"] else "not decidable on these recordings"
    return (
        "<h1>Volatility spikes in the next 60 seconds</h1>"
        + text(f"run {report['run_id']} · data {report['dataset']['digest'][:12]}", quiet=True)
        + '<div class="verdict">'
        + text(
            f"Model: {chosen['title']}, calibrated by {chosen['calibration']}. Whether it beats"
            f" the rv60 rule in PR-AUC: {verdict}."
        )
        + text(f"Why this one: {chosen['reason']}.")
        + text(_needed(chosen))
        + "</div>"
    )


def _needed(chosen: Document) -> str:
    gain, brier = chosen["against_rule"]["pr_auc_above_rule"], chosen["against_rule"]
    said = (
        f"Against the rule, out of fold: PR-AUC {between(gain)}, Brier score"
        f" {between(brier['brier_above_rule'])}, where below zero is better."
    )
    if chosen["decidable"]:
        return said
    need = chosen["data_needed"]
    more = "more than" if need["at_least"] else "about"
    return (
        f"{said} These captures hold {need['hours_now']} usable hours and {need['episodes_now']}"
        f" spike episodes. If the gain stays what it is, {more} {need['episodes']} episodes, some"
        f" {need['hours']} such hours, would decide."
    )


def _against_rule(report: Document, plots: Plots) -> str:
    honest = _protocol(report, report["chosen"]["rests_on"])
    rows: list[list[Cell]] = []
    names = []
    for result in report["standings"]:
        name = result["candidate"]
        found = honest["candidates"][name]["model"]
        names.append(name)
        rows.append(
            [
                result["title"],
                result["numbers"],
                _precision(found["pr_auc"]),
                found["roc_auc"],
                found["f1"],
                found["brier"],
                found["brier_skill"],
                found["ece"],
                between(result["pr_auc_above_rule"]),
                between(result["brier_above_rule"]),
            ]
        )
    heads = ["candidate", "numbers", "PR-AUC", "ROC-AUC", "F1", "Brier", "skill", "ECE"]
    heads += ["PR-AUC above the rule", "Brier above the rule"]
    prevalence = honest["candidates"][RULE_NAME]["model"]["prevalence"]
    return section(
        "Does anything beat the plain rv60 rule?",
        text(
            f"By this protocol: {honest['title']}; prevalence {prevalence:.3f}, so a coin"
            " has that PR-AUC. The rule's Brier score is that of its alarms as 0 and 1. Intervals:"
            f" {report['intervals']}."
        ),
        table(heads, rows, _marks(report, names)),
        picture(plots["precision_recall"], "precision over recall, out of fold"),
    )


def _flattered(report: Document) -> str:
    shown = ("published", "leave_group_out", "walk_forward", "walk_forward_own_tau")
    parts = {name: _protocol(report, name)["candidates"] for name in shown}
    names = list(parts["published"])
    rows: list[list[Cell]] = [
        [CANDIDATES[name].title, *(_told(parts[protocol].get(name)) for protocol in shown)]
        for name in names
    ]
    return section(
        "What does a random split flatter?",
        text(
            "PR-AUC (prevalence) and Brier score by protocol. A random split puts seconds of one"
            " minute on both sides: the richer a model, the more it remembers. Walking forward,"
            " most rows come before any spike could be learned from: a candidate that needs"
            " spikes is evaluated on fewer rows, so compare by prevalence. τ is the promotion's but"
            " in the last column, where each fold's training part sets it, and the question"
            " changes with it."
        ),
        table(
            ["candidate", "random 80/20", "leave a group out", "walk forward", "… with its own τ"],
            rows,
            _marks(report, names),
        ),
    )


def _told(pair: Document | None) -> str:
    if pair is None:
        return "–"
    found = pair["model"]
    return f"{_precision(found['pr_auc'])} ({found['prevalence']:.3f}) · {found['brier']:.3f}"


def _parts(report: Document) -> str:
    rows: list[list[Cell]] = [
        [
            name.split(".")[0],
            part["model"]["rows"],
            part["model"]["prevalence"],
            _precision(part["model"]["pr_auc"]),
            _precision(part["rv60_rule"]["pr_auc"]),
            part["model"]["brier"],
            part["rv60_rule"]["brier"],
            part.get("baseline", {}).get("brier"),
            between(part["brier_above_rule"]),
            "worse" if part["worse"] else "no",
        ]
        for name, part in report["parts"].items()
    ]
    heads = ["capture or regime", "rows", "prevalence", "PR-AUC", "rule's", "Brier", "rule's"]
    heads += ["baseline's", "Brier above the rule", "worse?"]
    note = f"{sentence(report['regimes'])} {NOT_QUOTABLE}: prevalence outside 0.02–0.5."
    return section("Where is it good, and where not?", text(note), table(heads, rows))


def _calibrated(report: Document, plots: Plots) -> str:
    names = list(report["calibrations"])
    rows: list[list[Cell]] = [
        [CANDIDATES[name].title, *(_way(ways.get(way)) for way in METHODS)]
        for name, ways in report["calibrations"].items()
    ]
    return section(
        "Can its scores be believed as probabilities?",
        text(
            "Brier score and expected calibration error (ECE) out of fold, ✓ where used."
            " Calibration is fitted on the later quarter of each training part: by errors (level"
            " and spread of a forecast's errors there), sigmoid (drawn towards no change, a row"
            " counting as a sixtieth of an observation) or isotonic. In brackets: rows, where some"
            " fold had nothing to fit it on."
        ),
        table(["candidate", *METHODS], rows, _marks(report, names)),
        picture(plots["reliability"], "share of spikes over score"),
    )


def _way(found: Document | None) -> str:
    if found is None:
        return "–"
    few = "" if found["every_row"] else f" ({found['rows']:,})"
    return f"{found['brier']:.3f} · {found['ece']:.3f}{few}{' ✓' if found['chosen'] else ''}"


def _alert_load(report: Document) -> str:
    found = report["burden"]
    rows: list[list[Cell]] = [
        [
            CANDIDATES[name].title,
            each["alerts_per_hour"],
            each["alerts"],
            f"{each['times_alerted']} of {each['times_tau_was_reached']}",
            each["median_lead_seconds"],
        ]
        for name, each in found["by_candidate"].items()
    ]
    heads = ["", "alerts an hour", "alerts", "times τ was reached, with an alert"]
    return section(
        "What do its alarms ask of you?",
        text(sentence(found["meaning"])),
        table([*heads, "median lead (s)"], rows),
    )


def _looks_at(report: Document) -> str:
    found = report["importances"]
    columns = [list(each.items())[:8] for each in found["by_model"].values()]
    rows: list[list[Cell]] = [
        [cell for column in columns for cell in (column[at] if at < len(column) else ("", ""))]
        for at in range(max(map(len, columns), default=0))
    ]
    titles = [CANDIDATES[n].title if n in CANDIDATES else n for n in found["by_model"]]
    heads = [head for title in titles for head in (title, "importance")]
    words = text(sentence(found["meaning"]) + found["note"])
    return section("What does it look at?", words, table(heads, rows) if rows else "")


def _over_price(plots: Plots) -> str:
    names = [name for name in plots if name.startswith("score_")]
    return section(
        "How does the score run along the price?",
        text("Each capture is scored by a model of the other groups."),
        *(picture(plots[name], name) for name in names),
    )


def _protocol(report: Document, name: str) -> Document:
    found: Document = next(each for each in report["protocols"] if each["name"] == name)
    return found


def _precision(value: float | str) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "not quotable"


def _marks(report: Document, names: list[str]) -> dict[int, str]:
    chosen = report["chosen"]["candidate"]
    roles = {name: "beside" for name in names if CANDIDATES[name].role == "reference"}
    roles[chosen] = "chosen"
    return {number: roles[name] for number, name in enumerate(names) if name in roles}

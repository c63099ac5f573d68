"""The card of a trained variant: what it is made of, how it did, and what that is worth."""

from typing import Any, Final

import numpy as np

from featurizer.features import FEATURES_DIGEST, NAMES
from featurizer.labels import HORIZON
from ingestor.instant import text_of
from training.data.captures import Capture
from training.data.dataset import Dataset
from training.data.splits import EMBARGO
from training.data.thresholds import Flags
from training.evaluation.rule_comparison import compared
from training.evaluation.selection import data_needed
from training.evaluation.study import Study
from training.final_fit import Trained
from training.models.candidates import CANDIDATES, KNOWN_SHARE, RULE_NAME
from training.models.golden import golden_rows
from training.models.problem import LearningProblem

PROTOCOL: Final = (
    "leave one group of captures out, purged by the label's "
    f"{HORIZON} s, embargoed by {EMBARGO} s; τ and the products learned from are the"
    " promotion's, all else is made from the other groups; one row per product and second,"
    " its last"
)
THRESHOLD_RULE: Final = (
    "the score that as many of the product's usable training rows reach as were spikes"
)
UNSCORED: Final = "not scored: the other groups lack spikes, or rows without"
HOUR: Final = 3600


def card_of(dataset: Dataset, study: Study, trained: Trained) -> dict[str, Any]:
    """Return the whole card; equal for equal data, so that it is part of the digest."""
    golden, problem = golden_rows(), study.problem
    return {
        "variant": trained.variant,
        "candidate": trained.candidate,
        "title": CANDIDATES[trained.candidate].title,
        "dialect": dataset.captures[0].dialect,
        "features_digest": FEATURES_DIGEST,
        "tau": dict(problem.tau),
        "threshold": dict(trained.threshold),
        "prevalence": round(float(problem.spikes.mean()), 6),
        "learned_from": list(problem.learned),
        "calibration": trained.fitted.calibration,
        "dataset_digest": dataset.digest,
        "notes": notes_of(dataset, study, trained),
        "rules": _rules(problem),
        "products": _products(problem),
        "parameters": dict(trained.fitted.parameters),
        "features_left_out": [name for name in NAMES if name not in trained.features],
        "metrics": metrics_of(dataset, study, trained),
        "data": data_of(dataset),
        "left_out": [{"file": file, "reason": reason} for file, reason in dataset.left_out],
        "trained_recordings": [capture.sha256 for capture in dataset.captures],
        "golden": {"rows": golden, "scores": [_served(trained, row) for row in golden]},
    }


def _served(trained: Trained, row: list[float | None]) -> float:
    """Score one row as serving does."""
    if trained.linear is not None:
        return trained.linear.score(row)
    values = [row[NAMES.index(name)] for name in trained.features]
    matrix = np.array([[np.nan if x is None else x for x in values]], dtype=np.float64)
    return float(trained.pipeline.predict_proba(matrix)[0, 1])


def metrics_of(dataset: Dataset, study: Study, trained: Trained) -> dict[str, Any]:
    """Return the out-of-fold figures by product, pooled and by capture, the rule's beside them."""
    parts: dict[str, Any] = {}
    table = study.problem.table
    for product in sorted(study.problem.tau):
        own = table.product == product
        parts[product] = {"pooled": _part(study, trained, own)} | {
            capture.file: _part(study, trained, own & (table.capture == number))
            for number, capture in enumerate(dataset.captures)
            if product in capture.usable
        }
    return {"protocol": PROTOCOL, "by_product": parts}


def _part(study: Study, trained: Trained, rows: Flags) -> dict[str, Any]:
    at = rows & trained.out_of_fold.has_score
    if not at.any():
        return {"rows": int(rows.sum()), "note": UNSCORED}
    plain = study.honest.scored[(RULE_NAME, "none")].take(at)
    spikes, scored = study.problem.spikes[at], trained.out_of_fold.take(at)
    unscored = int((rows & ~at).sum())
    return {**compared(spikes, scored, plain, trained.candidate), "unscored_rows": unscored}


def notes_of(dataset: Dataset, study: Study, trained: Trained) -> list[str]:
    """Return in words what the figures can bear."""
    problem = study.problem
    notes = [_episodes_note(dataset, problem, product) for product in problem.learned]
    if trained.variant == "ml":
        notes += [study.choice.verdict + ".", _data_needed(study)]
    notes += [
        f"{product}: nothing is learned from its spikes, which stand in one group of captures."
        f" Its τ and threshold come from its own rows. Scores are the chance of"
        f" {_learned_names(problem)}'s τ, as a row names no product: for it they rank and are no"
        " probability."
        for product in sorted(set(problem.tau) - set(problem.learned))
    ]
    return notes


def _learned_names(problem: LearningProblem) -> str:
    return " or ".join(problem.learned)


def _episodes_note(dataset: Dataset, problem: LearningProblem, product: str) -> str:
    own = problem.table.product == product
    return (
        f"{product}: {int(problem.spikes[own].sum())} spike seconds are"
        f" {problem.episodes(own)} separate episodes in {len(set(dataset.group))} groups of"
        " captures."
    )


def _data_needed(study: Study) -> str:
    core = study.problem.core
    gain = study.choice.result(study.choice.key[0]).gain
    need = data_needed(gain, float(core.sum()) / HOUR, study.problem.episodes(core))
    if study.choice.decidable:
        return "The interval of its gain over the rv60 rule lies above 0."
    more = "more than " if need["at_least"] else "about "
    return (
        f"If the gain over the rule stays what it is here, {more}{need['episodes']} episodes, some"
        f" {need['hours']} hours of such captures, would decide; these have {need['episodes_now']}."
    )


def _rules(problem: LearningProblem) -> dict[str, str]:
    return {
        "tau": f"percentile {problem.tau_percentile:g} of the next {HORIZON} s' volatility over the"
        " product's usable rows of all training captures pooled",
        "threshold": THRESHOLD_RULE,
        "usable": "a label, and a slot for each of the 300 s before",
        "features": f"known in at least {KNOWN_SHARE:.0%} of the training rows",
    }


def _products(problem: LearningProblem) -> dict[str, Any]:
    found = {}
    for product in sorted(problem.tau):
        own = problem.table.product == product
        found[product] = {
            "tau_rests_on_rows": int(own.sum()),
            "tau_rests_on_groups": len(np.unique(problem.group[own])),
            "spikes": int(problem.spikes[own].sum()),
            "episodes": problem.episodes(own),
        }
    return found


def data_of(dataset: Dataset) -> list[dict[str, Any]]:
    """Return for each capture what it is, its group, and what became of its events and rows."""
    return [_data(c, g) for c, g in zip(dataset.captures, dataset.group, strict=True)]


def _data(capture: Capture, group: int) -> dict[str, Any]:
    return {
        "file": capture.file,
        "sha256": capture.sha256,
        "group": group,
        "first": text_of(capture.first_us),
        "last": text_of(capture.last_us),
        "usable_rows": capture.usable,
        **dict(capture.counts),
    }

"""The evidence of a study as one document: what stands in report.json and what HTML is made of."""

from typing import Any

import numpy as np

from training.data.thresholds import Flags
from training.evaluation.alert_load import ALERT_MEANING, alert_load
from training.evaluation.bootstrap import BLOCK, LEVEL, REPEATS
from training.evaluation.measures import Figures, figures, reliability
from training.evaluation.protocols import HONEST, OWN_TAU, PUBLISHED, PUBLISHED_TITLE, Key
from training.evaluation.regimes import MEANING, REGIMES
from training.evaluation.rule_comparison import compared
from training.evaluation.selection import CandidateResult, data_needed, part_differences
from training.evaluation.study import Evaluation, Study
from training.models.calibration import METHODS, Method
from training.models.candidates import BASELINE, CANDIDATES, RULE_NAME

HOUR = 3600

Document = dict[str, Any]


def findings_of(study: Study) -> Document:
    """Return everything but data, importances, holdout and other tables."""
    return {
        "chosen": _chosen(study),
        "protocols": _protocols(study),
        "calibrations": _calibrations(study),
        "standings": [_result(each) for each in study.choice.results],
        "parts": _parts(study),
        "regimes": MEANING,
        "burden": _alert_load(study),
        "reliability": _reliability(study),
        "other_products": _others(study),
        "intervals": f"{LEVEL:.0%}, {REPEATS} draws of blocks of {BLOCK} s",
    }


def _chosen(study: Study) -> Document:
    choice, problem = study.choice, study.problem
    result = choice.result(choice.key[0])
    core = problem.core
    hours = float(core.sum()) / HOUR
    return {
        "candidate": choice.key[0],
        "title": CANDIDATES[choice.key[0]].title,
        "calibration": choice.key[1],
        "rests_on": study.rests_on,
        "decidable": choice.decidable,
        "reason": choice.reason,
        "verdict": choice.verdict,
        "data_needed": data_needed(result.gain, hours, problem.episodes(core)),
        "against_rule": _result(result),
    }


def _result(result: CandidateResult) -> Document:
    return {
        "candidate": result.name,
        "title": CANDIDATES[result.name].title,
        "role": CANDIDATES[result.name].role,
        "numbers": result.numbers,
        "calibration": result.key[1],
        "scored_every_row": result.full,
        "brier": round(result.own_brier, 6),
        "pr_auc_above_rule": result.lift and result.lift.document(),
        "brier_above_rule": result.brier.document(),
        "worse_in": list(result.worse_in),
    }


def _protocols(study: Study) -> list[Document]:
    titles = {each.name: each.title for each in (*HONEST, *OWN_TAU)} | {PUBLISHED: PUBLISHED_TITLE}
    return [
        {"name": name, "title": titles[name], "candidates": _candidates(study, evaluation)}
        for name, evaluation in study.evaluations.items()
    ]


def _candidates(study: Study, evaluation: Evaluation) -> dict[str, dict[str, Figures]]:
    core, found = study.problem.core, {}
    for name in CANDIDATES:
        scored, plain = evaluation.of(study.key_of(name)), evaluation.of((RULE_NAME, "none"))
        if scored is not None and plain is not None and (scored.has_score & core).any():
            spikes = evaluation.spikes[core]
            found[name] = compared(spikes, scored.take(core), plain.take(core), name)
    return found


def _calibrations(study: Study) -> dict[str, dict[Method, Document]]:
    """Return Brier score, calibration error and log loss of each way, out of fold."""
    evidence, found = study.evidence, {}
    for name in CANDIDATES:
        ways = [way for way in METHODS if (name, way) in evidence.scored and name != RULE_NAME]
        if ways:
            found[name] = {way: _briefly(study, (name, way)) for way in ways}
    return found


def _briefly(study: Study, key: Key) -> Document:
    scored = study.evidence.scored[key]
    at = scored.has_score
    every = figures(study.evidence.spikes[at], scored.take(at), probabilities=True)
    names = ("rows", "prevalence", "brier", "brier_skill", "ece", "log_loss")
    return {name: every[name] for name in names} | {
        "every_row": bool(at.sum() == study.evidence.rule.has_score.sum()),
        "chosen": key == study.key_of(key[0]),
    }


def _parts(study: Study) -> dict[str, Document]:
    """Return the chosen model, rule and baseline by capture and regime, with the differences."""
    evidence, found = study.evidence, {}
    for part, rows in evidence.parts.items():
        differences = part_differences(evidence, study.choice.key, part)
        if differences is None:
            continue
        lift, brier = differences
        at = rows & evidence.scored[study.choice.key].has_score
        found[part] = {
            "kind": "regime" if part in REGIMES else "capture",
            **_trio(study, at),
            "pr_auc_above_rule": lift and lift.document(),
            "brier_above_rule": brier.document(),
            "worse": part in study.choice.result(study.choice.key[0]).worse_in,
        }
    return found


def _trio(study: Study, at: Flags) -> Document:
    evidence = study.evidence
    spikes = evidence.spikes[at]
    found = compared(
        spikes, evidence.scored[study.choice.key].take(at), evidence.rule.take(at), "model"
    )
    baseline = evidence.scored.get(study.key_of(BASELINE))
    if baseline is not None and baseline.take(at).has_score.all():
        found["baseline"] = figures(spikes, baseline.take(at), probabilities=True)
    return found


def _alert_load(study: Study) -> Document:
    core, evidence = study.problem.core, study.evidence
    table, tau = study.problem.table.take(core), study.problem.tau
    keys = {name: study.key_of(name) for name in (study.choice.key[0], BASELINE, RULE_NAME)}
    return {
        "meaning": ALERT_MEANING,
        "by_candidate": {
            name: alert_load(table, evidence.scored[key].alarm, tau) for name, key in keys.items()
        },
    }


def _reliability(study: Study) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for name in (study.choice.key[0], BASELINE):
        scored = study.evidence.scored[study.key_of(name)]
        at = scored.has_score
        found[name] = reliability(study.evidence.spikes[at], scored.score[at])
    return found


def _others(study: Study) -> dict[str, Document]:
    """Return the figures of products whose τ is known but that nothing was learned from."""
    problem, found = study.problem, {}
    scored, plain = study.honest.of(study.choice.key), study.honest.scored[(RULE_NAME, "none")]
    for product in sorted(set(problem.tau) - set(problem.learned)):
        own = problem.table.product == product
        if scored is not None and scored.take(own).has_score.any():
            spikes = problem.spikes[own]
            found[product] = compared(spikes, scored.take(own), plain.take(own), "model")
    return found


def metrics_by_candidate(study: Study) -> dict[str, dict[str, Any]]:
    """Return, for tracking, each candidate's figures by protocol; the rule's stand beside them."""
    found: dict[str, dict[str, Any]] = {}
    for protocol in _protocols(study):
        for name, pair in protocol["candidates"].items():
            found.setdefault(name, {})[protocol["name"]] = pair["model"]
    for part, pair in _parts(study).items():
        for whose in ("model", "baseline", "rv60_rule"):
            name = {"model": study.choice.key[0], "rv60_rule": RULE_NAME}.get(whose, whose)
            if whose in pair:
                found[name].setdefault("parts", {})[part] = pair[whose]
    return found


def price_of(study: Study, rows: Flags) -> Document:
    """Return what the plot of scores over the price needs, for rows of one product and capture."""
    scored, table = study.honest.of(study.choice.key), study.problem.table.take(rows)
    score = np.full(len(table), np.nan) if scored is None else scored.score[rows]
    return {
        "seconds": table.second - table.second[0],
        "mid": table.mid,
        "score": score,
        "alarm": None if scored is None else scored.alarm[rows],
        "spikes": study.problem.spikes[rows],
    }

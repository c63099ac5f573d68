"""Permutation importances out of fold: what each feature is worth to a model on unseen rows."""

from typing import Final

import numpy as np
from sklearn.metrics import average_precision_score

from featurizer.features import NAMES
from training.data.rows import Table
from training.data.thresholds import Flags, Scores
from training.errors import FitError
from training.evaluation.measures import quotable
from training.evaluation.protocols import LEAVE_GROUP_OUT
from training.models.calibration import Method
from training.models.candidates import CANDIDATES, SEED
from training.models.fitting import Fitted, fit
from training.models.problem import LearningProblem

REPEATS: Final = 5
MEANING: Final = (
    "fall of pooled PR-AUC out of fold (Brier score where PR-AUC is not quotable) when the"
    " feature's values are dealt anew over all rows"
)

Model = tuple[Flags, Fitted]


def importances(problem: LearningProblem, name: str, method: Method) -> dict[str, float]:
    """Return each used feature's importance to a candidate, largest first; empty where unfitted."""
    core = problem.core
    models = _fold_models(problem, name, method)
    if not models:
        return {}
    scored = core & np.logical_or.reduce([rows for rows, _ in models])
    table, spikes = problem.table.take(scored), problem.spikes[scored]
    inside = [(rows[scored], fitted) for rows, fitted in models]
    plain = _performance(spikes, _scores(table, inside))
    chance, found = np.random.default_rng(SEED), {}
    for feature in sorted({f for _, fitted in models for f in fitted.features}, key=NAMES.index):
        falls = [
            plain - _performance(spikes, _scores(_permuted(table, feature, chance), inside))
            for _ in range(REPEATS)
        ]
        found[feature] = round(float(np.mean(falls)), 6)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _fold_models(problem: LearningProblem, name: str, method: Method) -> list[Model]:
    found = []
    for train, test in LEAVE_GROUP_OUT.folds(problem):
        rows = np.zeros(len(problem.spikes), dtype=np.bool_)
        rows[test] = True
        try:
            ways = fit(CANDIDATES[name], problem.labelled.take(train[problem.core[train]]))
        except FitError:
            continue
        found.append((rows, ways.get(method, ways["none"])))
    return found


def _scores(table: Table, models: list[Model]) -> Scores:
    score = np.zeros(len(table))
    for rows, fitted in models:
        if rows.any():
            score[rows] = fitted.scores(table.take(rows))
    return score


def _performance(spikes: Flags, score: Scores) -> float:
    if quotable(spikes):
        return float(average_precision_score(spikes, score))
    return -float(np.mean((score - spikes) ** 2))


def _permuted(table: Table, feature: str, chance: np.random.Generator) -> Table:
    dealt = table.take(np.arange(len(table)))
    column = NAMES.index(feature)
    dealt.features[:, column] = chance.permutation(dealt.features[:, column])
    return dealt

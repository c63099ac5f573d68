"""From a study to the two models that a promotion brings: fitted on all rows, with thresholds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.linear import Linear
from training.data.rows import Table
from training.data.thresholds import Scores, thresholds_of
from training.evaluation.measures import ScoredRows
from training.evaluation.protocols import Key
from training.evaluation.study import Study
from training.models.candidates import BASELINE, CANDIDATES
from training.models.fitting import Fitted, fit, plain_pipeline


@dataclass(frozen=True, slots=True)
class Trained:
    """A variant fitted on all rows of the products learned from.

    ``linear`` is its plain numbers, None where it has none and the pipeline itself is served;
    ``out_of_fold`` are the scores its procedure gave rows it had not seen.
    """

    variant: str
    key: Key
    fitted: Fitted
    linear: Linear | None
    threshold: Mapping[str, float]
    out_of_fold: ScoredRows

    @property
    def candidate(self) -> str:
        """The candidate behind the variant."""
        return self.key[0]

    @property
    def features(self) -> tuple[str, ...]:
        """The features it uses."""
        return self.fitted.features

    @property
    def pipeline(self) -> Any:
        """What is pickled: of a linear ``ml`` scikit-learn's own steps, which load anywhere."""
        if self.linear is None:
            return self.fitted.model
        return plain_pipeline(self.linear) if self.variant == "ml" else None

    def scores(self, table: Table) -> Scores:
        """Score rows as serving does: a linear model one by one, in plain Python."""
        if self.linear is None:
            return self.fitted.scores(table)
        return np.array([self.linear.score(row) for row in table.features.tolist()], np.float64)

    def predict(self, table: Table) -> ScoredRows:
        """Score rows that it never saw, and alarm by its thresholds."""
        scores = self.scores(table)
        limits = [
            self.threshold.get(p, max(self.threshold.values())) for p in table.product.tolist()
        ]
        return ScoredRows(scores, scores >= np.array(limits))


def train(study: Study) -> list[Trained]:
    """Fit the chosen candidate and the baseline on all rows: variants ``ml`` and ``baseline``.

    Raises:
        FitError: the rows have a single class.
    """
    return [
        _trained(study, "ml", study.choice.key),
        _trained(study, "baseline", (BASELINE, "none")),
    ]


def _trained(study: Study, variant: str, key: Key) -> Trained:
    problem, (name, method) = study.problem, key
    ways = fit(CANDIDATES[name], problem.training_part())
    fitted = ways.get(method, ways["none"])
    linear = fitted.linear(variant)
    blank = ScoredRows(
        np.full(len(problem.spikes), np.nan), np.zeros(len(problem.spikes), np.bool_)
    )
    trained = Trained(variant, key, fitted, linear, {}, study.honest.of(key) or blank)
    threshold = thresholds_of(problem.table, trained.scores(problem.table), problem.spikes)
    return Trained(variant, key, fitted, linear, threshold, trained.out_of_fold)

"""Written models on recordings: one against the rule, or two against each other."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from promotion.run_folder import RECORD, model_folder, read_run
from serving.artifact import CARD, Artifact, ArtifactError, load_folder
from serving.predictor import open_predictor, outputs_of
from serving.tensor import OUTPUT, SEVERE
from signals.probabilities import probabilities
from training.data.dataset import Dataset
from training.data.rows import Table
from training.data.thresholds import Flags, Scores, limits_of, spikes_of
from training.errors import TrainingError
from training.evaluation.bootstrap import Resampled, brier_difference, precision_difference
from training.evaluation.measures import Figures, ScoredRows, figures, quotable, rule
from training.evaluation.regimes import by_product, regimes_of
from training.evaluation.rule_comparison import against_rule

SPIKES_A_DAY: Final = "4"
"""The budget whose θ a model in units of τ alarms by."""
SHOWN: Final = (
    "prevalence",
    "pr_auc",
    "roc_auc",
    "brier",
    "brier_skill",
    "ece",
    "precision",
    "recall",
)
LIVE: Final = ("said", "came", "brier", "log_loss", "ece", "pr_auc")
"""Of chances, as the monitor has them; PR-AUC stands beside ``came``, its prevalence."""


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """A verified model folder under the name it was given by.

    ``trained_on`` are the SHA-256 of the recordings it learned from.
    """

    name: str
    artifact: Artifact
    trained_on: frozenset[str]

    @property
    def relative(self) -> bool:
        """Whether it is in units of τ: then a row's own level is its τ."""
        return self.artifact.info.relative

    def known(self, table: Table) -> Table:
        """Return the rows of products that it has a τ for, or that have a level themselves.

        Raises:
            TrainingError: there are none.
        """
        tau = self.artifact.info.tau
        known = ~np.isnan(table.tau) if self.relative else np.isin(table.product, list(tau))
        if not known.any():
            whose = "that has a level" if self.relative else f"of {sorted(tau)}"
            raise TrainingError(f"found no usable row {whose}, expected some")
        return table.take(known)

    def limits(self, table: Table) -> Scores:
        """Return the τ of each of these rows, which it knows."""
        return table.tau if self.relative else limits_of(table, self.artifact.info.tau)

    def predict(self, table: Table) -> ScoredRows:
        """Score rows one by one, as serving does, and alarm by the card's thresholds."""
        info, said = self.artifact.info, self._said(table)
        if self.relative:
            theta = info.thresholds["spike"][SPIKES_A_DAY]
            alarm = np.array(said[SEVERE]) >= (np.inf if theta is None else theta)
            return ScoredRows(np.array(said[OUTPUT]), alarm)
        scores = np.array(said[OUTPUT])
        limit = np.array([info.threshold[product] for product in table.product.tolist()])
        return ScoredRows(scores, scores >= limit)

    def chances(self, table: Table, spikes: Flags) -> dict[str, tuple[Scores, Flags]]:
        """Return the chances of τ and, in units of it, of 2τ, each with what came."""
        said = self._said(table)
        found = {OUTPUT: (np.array(said[OUTPUT]), spikes)}
        if self.relative:
            found[SEVERE] = (np.array(said[SEVERE]), spikes_of(table, 2.0 * table.tau))
        return found

    def _said(self, table: Table) -> Mapping[str, Sequence[float]]:
        rows = np.column_stack([table.features, table.tau]).tolist()
        return outputs_of(open_predictor(self.artifact), rows)


def open_model(path: Path) -> EvaluatedModel:
    """Open a model folder, or the winner's of a run folder.

    Raises:
        TrainingError: it is neither, or its bytes are not what its digest says.
    """
    folder = model_folder(path, read_run(path).winner) if (path / RECORD).exists() else path
    try:
        artifact = load_folder(folder)
    except ArtifactError as exc:
        raise TrainingError(f"{path}: {exc}") from exc
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return EvaluatedModel(str(path), artifact, frozenset(card.get("trained_recordings", ())))


def evaluate_model(model: EvaluatedModel, dataset: Dataset) -> dict[str, Any]:
    """Evaluate a model beside the rule at its own τ: each product, by capture and by regime.

    Captures that it was trained on are named.
    """
    table = model.known(dataset.table)
    tau, found = model.limits(table), model.predict(table)
    spikes, plain = spikes_of(table, tau), rule(table, tau)
    chances = model.chances(table, spikes)
    return {
        "model": model.name,
        "digest": model.artifact.info.digest,
        "seen_in_training": [c.file for c in dataset.captures if c.sha256 in model.trained_on],
        "parts": {
            part: against_rule(table, spikes, found, plain, rows)
            | {"chances": _chances(chances, rows)}
            for part, rows in _parts(dataset, table, tau).items()
        },
    }


def _chances(chances: Mapping[str, tuple[Scores, Flags]], rows: Flags) -> dict[str, dict[str, Any]]:
    """Return the figures that the monitor shows live, of some rows, by event."""
    return {
        event: msgspec.to_builtins(probabilities(score[rows], came[rows]))
        for event, (score, came) in chances.items()
    }


def chance_lines(chances: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what each chance said and what came, a line an event."""
    return [
        f"  {event:<12}" + " ".join(f"{key}={_short(found[key])}" for key in LIVE)
        for event, found in chances.items()
    ]


def compare_models(one: EvaluatedModel, other: EvaluatedModel, dataset: Dataset) -> dict[str, Any]:
    """Evaluate two models on the same rows and at the same τ, with intervals of the difference.

    Raises:
        TrainingError: their τ differ, so that they answer different questions.
    """
    asked, other_asked = (_question(each) for each in (one, other))
    if asked != other_asked:
        raise TrainingError(
            f"found τ {asked} in {one.name} and {other_asked} in {other.name},"
            " expected the same: they answer different questions"
        )
    table = one.known(dataset.table)
    tau = one.limits(table)
    spikes = spikes_of(table, tau)
    both = one.predict(table), other.predict(table)
    return {
        "models": [each.name for each in (one, other)],
        "digests": [each.artifact.info.digest for each in (one, other)],
        "parts": {
            part: _difference(table, spikes, both, rows)
            for part, rows in _parts(dataset, table, tau).items()
        },
    }


def _difference(
    table: Table, spikes: Flags, both: tuple[ScoredRows, ScoredRows], rows: Flags
) -> dict[str, Any]:
    spikes, (one, other) = spikes[rows], (each.take(rows) for each in both)
    draws = Resampled.of(table.time_us[rows])
    gain = None
    if quotable(spikes):
        gain = precision_difference(spikes, one.score, other.score, draws).document()
    described: list[Figures] = [figures(spikes, j, probabilities=True) for j in (one, other)]
    return {
        "models": described,
        "pr_auc_difference": gain,
        "brier_difference": brier_difference(spikes, one.score, other.score, draws).document(),
    }


def _question(model: EvaluatedModel) -> dict[str, float] | str:
    return "of the row" if model.relative else dict(model.artifact.info.tau)


def _parts(dataset: Dataset, table: Table, tau: Scores) -> dict[str, Flags]:
    captures = {c.file: table.capture == number for number, c in enumerate(dataset.captures)}
    return by_product(table, captures | regimes_of(table, tau))


def figure_lines(part: str, pairs: Sequence[tuple[str, Figures]]) -> list[str]:
    """Return the figures of one part, a line for each of the compared."""
    return [f"{part}, {pairs[0][1]['rows']} rows"] + [
        f"  {name:<12}" + " ".join(f"{key}={_short(found[key])}" for key in SHOWN)
        for name, found in pairs
    ]


def _short(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "–" if value is None else "not-quotable"

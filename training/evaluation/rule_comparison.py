"""A model beside the plain rule, on the same rows: figures of both, and intervals of the gain."""

from typing import Any

from training.data.rows import Table
from training.data.thresholds import Flags
from training.evaluation.bootstrap import Resampled, brier_difference, precision_difference
from training.evaluation.measures import Figures, ScoredRows, as_probabilities, figures, quotable
from training.models.candidates import RULE_NAME


def compared(spikes: Flags, model: ScoredRows, plain: ScoredRows, name: str) -> dict[str, Figures]:
    """Return a model's figures and the rule's, on the rows the model scored."""
    at = model.has_score
    return {
        "model": figures(spikes[at], model.take(at), probabilities=name != RULE_NAME),
        "rv60_rule": figures(spikes[at], plain.take(at), probabilities=False),
    }


def against_rule(
    table: Table, spikes: Flags, scored: ScoredRows, plain: ScoredRows, rows: Flags
) -> dict[str, Any]:
    """Return a model's figures and the rule's on these rows, and the differences' intervals."""
    spikes, scored, plain = spikes[rows], scored.take(rows), plain.take(rows)
    draws = Resampled.of(table.time_us[rows])
    hard = as_probabilities(plain, probabilities=False)
    above = None
    if quotable(spikes):
        above = precision_difference(spikes, scored.score, plain.score, draws).document()
    return compared(spikes, scored, plain, "model") | {
        "pr_auc_above_rule": above,
        "brier_above_rule": brier_difference(spikes, scored.score, hard, draws).document(),
    }

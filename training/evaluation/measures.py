"""The figures of one part of the rows: always together, always beside prevalence."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from training.data.rows import Table
from training.data.thresholds import Flags, Scores, Tau, limits_of

RULE: Final = "realized_volatility_60s"
QUOTABLE: Final = (0.02, 0.5)
"""Outside this prevalence, PR-AUC says more about the part than about the model."""
NOT_QUOTABLE: Final = "PR-AUC not quotable here"
BINS: Final = 10
_DIGITS: Final = 6
_LEAST: Final = 1e-12

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Scores of rows and the alarms they give; a score is NaN where no fold could score."""

    score: Scores
    alarm: Flags

    def take(self, at: Flags) -> "ScoredRows":
        """Return the rows at these positions."""
        return ScoredRows(self.score[at], self.alarm[at])

    @property
    def has_score(self) -> Flags:
        """Which rows have a score."""
        return ~np.isnan(self.score)


def rule(table: Table, tau: Tau) -> ScoredRows:
    """Evaluate by the plain rule: a spike follows where volatility already reaches τ.

    The score is rv60 in units of τ, for ranking; it is no probability.
    """
    limits = limits_of(table, tau)
    volatility = np.nan_to_num(table.column(RULE))
    return ScoredRows(volatility / np.maximum(limits, _LEAST), volatility >= limits)


def quotable(spikes: Flags) -> bool:
    """Return whether PR-AUC may be quoted for rows of this prevalence."""
    return bool(len(spikes)) and QUOTABLE[0] <= float(spikes.mean()) <= QUOTABLE[1]


def as_probabilities(scored: ScoredRows, *, probabilities: bool) -> Scores:
    """Return what the Brier score is taken of: the scores, or alarms as 0 and 1."""
    return scored.score if probabilities else scored.alarm.astype(np.float64)


def figures(spikes: Flags, scored: ScoredRows, *, probabilities: bool) -> Figures:
    """Return all figures of one part of the rows, rounded; None where one is not defined.

    Without ``probabilities`` the Brier score and the calibration error are those of the alarms,
    as 0 and 1. Brier's skill is against always saying the part's own prevalence.
    """
    prevalence = float(spikes.mean())
    both = 0.0 < prevalence < 1.0
    pr_auc = float(average_precision_score(spikes, scored.score)) if quotable(spikes) else None
    said = as_probabilities(scored, probabilities=probabilities)
    brier = float(brier_score_loss(spikes, said, labels=[False, True]))
    plain = prevalence * (1.0 - prevalence)
    found = {
        "rows": len(spikes),
        "prevalence": prevalence,
        "pr_auc": NOT_QUOTABLE if pr_auc is None else pr_auc,
        "pr_auc_lift": None if pr_auc is None else pr_auc / prevalence,
        "roc_auc": float(roc_auc_score(spikes, scored.score)) if both else None,
        "brier": brier,
        "brier_of_prevalence": plain,
        "brier_skill": 1.0 - brier / plain if both else None,
        "ece": expected_calibration_error(spikes, said),
        "log_loss": _log_loss(spikes, scored.score) if probabilities else None,
    }
    return _rounded(found | _alarms(spikes, scored.alarm))


def reliability(spikes: Flags, said: Scores, bins: int = BINS) -> list[dict[str, Any]]:
    """Return, for each tenth of the scale that holds rows: their number, mean score and share."""
    at = np.minimum((said * bins).astype(int), bins - 1)
    return [
        {
            "rows": int((at == b).sum()),
            "said": float(said[at == b].mean()),
            "came": float(spikes[at == b].mean()),
        }
        for b in np.unique(at)
    ]


def expected_calibration_error(spikes: Flags, said: Scores) -> float:
    """Return the mean distance between what was said and what came, over tenths of the scale.

    >>> expected_calibration_error(np.array([True, False]), np.array([0.75, 0.75]))
    0.25
    """
    parts = reliability(spikes, said)
    return float(sum(p["rows"] * abs(p["said"] - p["came"]) for p in parts)) / len(spikes)


def _log_loss(spikes: Flags, score: Scores) -> float:
    return float(log_loss(spikes, np.column_stack([1.0 - score, score]), labels=[False, True]))


def _alarms(spikes: Flags, alarm: Flags) -> Figures:
    hits, alarms, total = int((spikes & alarm).sum()), int(alarm.sum()), int(spikes.sum())
    return {
        "spikes": total,
        "alarms": alarms,
        "precision": hits / alarms if alarms else None,
        "recall": hits / total if total else None,
        "f1": 2 * hits / (alarms + total) if alarms + total else None,
    }


def _rounded(found: Figures) -> Figures:
    return {k: round(v, _DIGITS) if isinstance(v, float) else v for k, v in found.items()}

"""The sealed capture: opened by the final report alone, judged by the models as they stand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.bootstrap import Resampled, brier_difference, precision_difference
from training.cutoffs import Flags
from training.dataset import Dataset
from training.evaluate import Study
from training.findings import compared
from training.lesson import Lesson
from training.metrics import Judged, certainty, quotable, rule
from training.regimes import regimes_of
from training.rows import Table
from training.train import Trained


def sealed_findings(opened: Dataset, study: Study, trained: Sequence[Trained]) -> dict[str, Any]:
    """Judge captures that no choice has seen, at the promotion's τ and thresholds.

    Products without τ are left out.
    """
    return {
        "files": [{"file": c.file, "sha256": c.sha256} for c in opened.captures],
        "parts": judged_parts(opened.table, study.problem.tau, trained),
    }


def judged_parts(table: Table, tau: Any, trained: Sequence[Trained]) -> dict[str, dict[str, Any]]:
    """Give each variant's figures beside the rule's, for all rows and by regime."""
    table = table.take(np.isin(table.product, list(tau)))
    lesson = Lesson.of(table, tau)
    plain = rule(table, tau)
    every = {"all": lesson.spikes == lesson.spikes} | regimes_of(table, tau)
    judged = {each.variant: each.judge(table) for each in trained}
    return {
        part: {
            variant: against_rule(table, lesson.spikes, found, plain, rows)
            for variant, found in judged.items()
        }
        for part, rows in every.items()
        if rows.any()
    }


def against_rule(
    table: Table, spikes: Flags, judged: Judged, plain: Judged, rows: Flags
) -> dict[str, Any]:
    """Give a model's figures and the rule's on these rows, and the differences' intervals."""
    spikes, judged, plain = spikes[rows], judged.take(rows), plain.take(rows)
    draws = Resampled.of(table.time_us[rows])
    hard = certainty(plain, probabilities=False)
    above = None
    if quotable(spikes):
        above = precision_difference(spikes, judged.score, plain.score, draws).document()
    return compared(spikes, judged, plain, "model") | {
        "pr_auc_above_rule": above,
        "brier_above_rule": brier_difference(spikes, judged.score, hard, draws).document(),
    }

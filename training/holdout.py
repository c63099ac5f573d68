"""The holdout capture: opened by the final report alone, evaluated by the models as they stand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.data.dataset import Dataset
from training.data.rows import Table
from training.evaluation.measures import rule
from training.evaluation.regimes import by_product, regimes_of
from training.evaluation.rule_comparison import against_rule
from training.evaluation.study import Study
from training.final_fit import Trained
from training.models.labelled_set import LabelledSet


def holdout_findings(opened: Dataset, study: Study, trained: Sequence[Trained]) -> dict[str, Any]:
    """Evaluate captures that no choice has seen, at the promotion's τ and thresholds.

    Products without τ are left out.
    """
    return {
        "files": [{"file": c.file, "sha256": c.sha256} for c in opened.captures],
        "parts": evaluate_parts(opened.table, study.problem.tau, trained),
    }


def evaluate_parts(table: Table, tau: Any, trained: Sequence[Trained]) -> dict[str, dict[str, Any]]:
    """Return each variant's figures beside the rule's, by product and by its regimes."""
    table = table.take(np.isin(table.product, list(tau)))
    labelled = LabelledSet.of(table, tau)
    plain = rule(table, tau)
    scored = {each.variant: each.predict(table) for each in trained}
    return {
        part: {
            variant: against_rule(table, labelled.spikes, found, plain, rows)
            for variant, found in scored.items()
        }
        for part, rows in by_product(table, regimes_of(table, tau)).items()
    }

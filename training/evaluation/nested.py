"""Calibrations picked as in nested cross-validation: never by the group that is judged.

Varma and Simon (2006): what is picked on the folds it is judged on looks better than it is.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.data.thresholds import Flags
from training.evaluation.measures import ScoredRows
from training.evaluation.protocols import ScoredByKey
from training.evaluation.selection import brier_of, full_ways
from training.models.calibration import Method


def nested(
    spikes: Flags, scored: ScoredByKey, core: Flags, group: Any, methods: Mapping[str, Method]
) -> ScoredByKey:
    """Return scores in which each group's calibration was picked on all other groups.

    They stand under the key of the method that all groups together pick, which is the final
    fit's: what is judged is the picking, too. ``core`` are the rows that pick, ``group`` [n] is
    each row's. Where no other group has scores the simplest calibration is taken.
    """
    return scored | {
        (name, method): _apart(spikes, scored, core, group, name)
        for name, method in methods.items()
        if (name, method) in scored
    }


def _apart(spikes: Flags, scored: ScoredByKey, core: Flags, group: Any, name: str) -> ScoredRows:
    ways = full_ways(name, {key: each.take(core) for key, each in scored.items()})
    found = ScoredRows(np.full(len(spikes), np.nan), np.zeros(len(spikes), np.bool_))
    for number in np.unique(group):
        own = group == number
        others = core & ~own
        losses = [brier_of(scored[(name, way)].take(others), spikes[others]) for way in ways]
        picked = scored[(name, ways[int(np.argmin(losses))])]
        found.score[own], found.alarm[own] = picked.score[own], picked.alarm[own]
    return found

"""How good the chances of left-out days are: all seconds, and the calm ones by themselves."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from msgspec import to_builtins

from signals.onsets import calm
from signals.probabilities import probabilities
from training.data.thresholds import Flags
from training.external.columns import Numbers
from training.venues.forecasts import ScoredDay
from training.venues.paired import LOSSES, day_name, gain

CHANCES: Final = {1: "score", 2: "severe"}
"""What says the chance of a level."""


def chance_figures(days: Sequence[ScoredDay], level: int, with_bins: bool) -> dict[str, Any]:
    """Return the figures of a row over seconds whose next minute is known, and over calm ones."""
    said, came = _joined([getattr(day, CHANCES[level]) for day in days]), _came(days, level)
    known, is_calm = ~np.isnan(_joined([day.ahead for day in days])), _calm(days, level)
    return {
        name: figures_of(said[at], came[at], with_bins)
        for name, at in (("all", known), ("calm", known & is_calm))
    }


def plain_figures(days: Sequence[ScoredDay], level: int) -> dict[str, Any]:
    """Return those of the plain rule, which says 0 or 1."""
    said = _joined([day.volatility >= level * day.tau for day in days]).astype(np.float64)
    known = ~np.isnan(_joined([day.ahead for day in days]))
    return {"all": figures_of(said[known], _came(days, level)[known], False)}


def figures_of(said: Numbers, came: Flags, with_bins: bool) -> dict[str, Any]:
    """Return the figures of chances; ``with_bins``: with what came of each tenth."""
    found: dict[str, Any] = to_builtins(probabilities(said, came))
    if not with_bins:
        del found["bins"]
    return found


def gains(model: Sequence[ScoredDay], other: Sequence[ScoredDay], level: int) -> dict[str, Any]:
    """Return what the model gains on another row, by each loss, over whole days."""
    known, came = ~np.isnan(_joined([day.ahead for day in model])), _came(model, level)
    one, two = (_joined([getattr(d, CHANCES[level]) for d in days]) for days in (model, other))
    part = np.repeat([day.day for day in model], [len(day.second) for day in model])
    return {
        loss: gain((of(came, two) - of(came, one))[known], part[known], day_name)
        for loss, of in LOSSES.items()
    }


def _came(days: Sequence[ScoredDay], level: int) -> Flags:
    return _joined([day.ahead >= level * day.tau for day in days]).astype(np.bool_)


def _calm(days: Sequence[ScoredDay], level: int) -> Flags:
    """Say which seconds an onset may come after; the last of a day is still under way."""
    found = []
    for day in days:
        is_calm = np.append(calm(day.seconds, level), False)
        found.append(is_calm[day.second - day.second[0]])
    return _joined(found).astype(np.bool_)


def _joined(columns: Sequence[Numbers | Flags]) -> Numbers:
    return np.concatenate([np.zeros(0), *columns])

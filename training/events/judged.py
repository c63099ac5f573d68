"""Days by events: θ by budget over all venues together, figures of each venue apart.

Each day is judged by the θ of all other days, as it would have been had it come after them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec import to_builtins

from signals.budgets import (
    DAY,
    SPIKE_BUDGET,
    Choices,
    Load,
    load_of,
    thresholds,
    thresholds_of_others,
)
from signals.leads import EARLY
from signals.poisson import poisson_interval
from signals.row import Thresholds
from signals.rules import FROZEN, Hysteresis
from signals.seconds import Seconds
from signals.table import Detected, EventTable, Part, always, event_table, parts_of, rule
from training.errors import FitError
from training.events.chances import chance_figures, gains, plain_figures
from training.events.rivals import MODEL, RV60
from training.venues.forecasts import ScoredDay
from training.venues.paired import day_name, gain

ELEVATED_BUDGET: Final = 8
LEVELS: Final = {"elevated": (1, ELEVATED_BUDGET), "spike": (2, SPIKE_BUDGET)}
RULE: Final = "rule"
ALWAYS: Final = "always"

Scored = Mapping[str, Sequence[ScoredDay]]
"""By row, each of the same days in the same order."""
Parts = tuple[Sequence[Part], Sequence[Part]]
"""The days with their runs of level 1, and of level 2."""


def within_interval(load: Load, budget: int) -> bool:
    """Say whether the 90 % Poisson interval of starts a covered day contains the budget."""
    low, high = poisson_interval(load.starts)
    return low * DAY <= budget * load.covered <= high * DAY


def within_factor_two(load: Load, budget: int) -> bool:
    """Say whether starts a covered day are within half and twice the budget."""
    return budget * load.covered <= 2 * load.starts * DAY <= 4 * budget * load.covered


def judged(scored: Scored) -> dict[str, Any]:
    """Return θ by budget of all days and, under the default budgets, the figures of each venue.

    A row whose default budgets are refused has no figures but its chances.

    Raises:
        FitError: they are refused to the model, of all days or without one of them.
    """
    parts = {row: left_out([day.seconds for day in days]) for row, days in scored.items()}
    if parts[MODEL] is None:
        raise FitError("found default budgets that are refused, expected θ of both")
    return {
        "thresholds": {
            row: to_builtins(thresholds([day.seconds for day in days]), str_keys=True)
            for row, days in scored.items()
        },
        "levels": {
            name: {
                "budget": budget,
                "kept": {row: _kept(of, level, budget) for row, of in parts.items()},
                "venues": {
                    venue: _venue(scored, parts, venue, level, budget) for venue in _venues(scored)
                },
            }
            for name, (level, budget) in LEVELS.items()
        },
    }


def left_out(days: Sequence[Seconds], rules: Hysteresis = FROZEN) -> Parts | None:
    """Return the days with their runs, each under the θ of all others; None if any is refused."""
    elevated, spike = list[Part](), list[Part]()
    for each, choices in zip(days, thresholds_of_others(days, rules), strict=True):
        theta = default_thresholds(choices)
        if theta is None:
            return None
        for found, part in zip((elevated, spike), parts_of([each], theta, rules), strict=True):
            found += part
    return elevated, spike


def default_thresholds(choices: Mapping[str, Choices]) -> Thresholds | None:
    """Return θ of the default budgets, None where one is refused."""
    elevated = choices["elevated"][ELEVATED_BUDGET].theta
    spike = choices["spike"][SPIKE_BUDGET].theta
    return None if elevated is None or spike is None else Thresholds(elevated, spike)


def _venues(scored: Scored) -> list[str]:
    return list(dict.fromkeys(day.venue for day in scored[MODEL]))


def _kept(parts: Parts | None, level: int, budget: int) -> dict[str, Any] | None:
    if parts is None:
        return None
    load = load_of((part.seconds, part.runs) for part in parts[level - 1])
    return {
        "starts": load.starts,
        "starts_a_day": load.starts_a_day,
        "interval_contains_budget": within_interval(load, budget),
    }


def _venue(
    scored: Scored, parts: Mapping[str, Parts | None], venue: str, level: int, budget: int
) -> dict[str, Any]:
    at = [number for number, day in enumerate(scored[MODEL]) if day.venue == venue]
    days = {row: [found[number] for number in at] for row, found in scored.items()}
    runs = {row: of and [of[level - 1][number] for number in at] for row, of in parts.items()}
    model, plain = runs[MODEL] or [], [each.seconds for each in days[MODEL]]
    runs |= {
        RULE: [Part(seconds, rule(seconds, level)) for seconds in plain],
        ALWAYS: [Part(seconds, always(seconds)) for seconds in plain],
    }
    names = [day_name(day.day) for day in days[MODEL]]
    return {
        "within_factor_two": within_factor_two(
            load_of((part.seconds, part.runs) for part in model), budget
        ),
        "rows": {row: _row(of, days[MODEL], level, budget) for row, of in runs.items()},
        "by_day": dict(zip(names, (_day(part, level) for part in model), strict=True)),
        "chances": {row: chance_figures(found, level, row == MODEL) for row, found in days.items()}
        | {RULE: plain_figures(days[MODEL], level)},
        "gains": gains(days[MODEL], days[RV60], level),
    }


def _row(
    parts: Sequence[Part] | None, days: Sequence[ScoredDay], level: int, budget: int
) -> dict[str, Any] | None:
    """Return the figures of a row, and what its lead of 10 s gains on chance, by whole days."""
    if parts is None:
        return None
    apart = [_ahead(event_table([part], level)) for part in parts]
    each = [(one.share or 0.0) - (one.chance or 0.0) for one, _ in apart]
    onsets = [n for _, n in apart]
    day = np.repeat([one.day for one in days], onsets)
    return {
        "events": to_builtins(event_table(parts, level, budget)),
        "ahead_of_chance": gain(np.repeat(each, onsets), day, day_name) if len(day) else None,
    }


def _ahead(table: EventTable) -> tuple[Detected, int]:
    return next(each for each in table.detected if each.lead == EARLY), table.onsets


def _day(part: Part, level: int) -> dict[str, Any]:
    table = event_table([part], level)
    ahead, onsets = _ahead(table)
    return {
        "covered_days": table.covered_days,
        "onsets": onsets,
        "starts": table.starts,
        "share_in_state": table.share_in_state,
        "ahead": ahead.share,
        "chance": ahead.chance,
    }

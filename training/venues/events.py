"""Left-out days by events: θ by budget over all venues together, figures of each venue apart.

Each day is judged by the θ of all other days, as it would have been had it come after them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

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
from signals.poisson import poisson_interval
from signals.row import Thresholds
from signals.seconds import Columns, Seconds
from signals.table import Part, always, event_table, parts_of, rule
from training.errors import FitError
from training.venues.forecasts import ScoredDay, leave_days_out
from training.venues.venue_days import read_venues

ELEVATED_BUDGET: Final = 8
DIGITS: Final = 6
"""Significant ones: no two machines agree on the last bits of a fit."""


def find_events(data: Path) -> dict[str, Any]:
    """Return the figures of all venues' days, scored left out in turn.

    Raises:
        DatasetError: a file cannot be read.
        FitError: a default budget is refused.
    """
    seconds = {days.venue.name: days.seconds for days in read_venues(data)}
    found: dict[str, Any] = _rounded(events(list(leave_days_out(seconds))))
    return found


def seconds_of(day: ScoredDay) -> Seconds:
    """Return a day's predictions as the machine steps them."""
    columns = (getattr(day, name) for name in Columns.__slots__)
    return Seconds.of(Columns(*columns))


def within_interval(load: Load, budget: int) -> bool:
    """Say whether the 90 % Poisson interval of starts a covered day contains the budget."""
    low, high = poisson_interval(load.starts)
    return low * DAY <= budget * load.covered <= high * DAY


def within_factor_two(load: Load, budget: int) -> bool:
    """Say whether starts a covered day are within half and twice the budget."""
    return budget * load.covered <= 2 * load.starts * DAY <= 4 * budget * load.covered


def events(days: Sequence[ScoredDay]) -> dict[str, Any]:
    """Return θ by budget of all days and, under the default budgets, the figures of each venue.

    Raises:
        FitError: a default budget is refused, of all days or without one of them.
    """
    seconds = [seconds_of(day) for day in days]
    choices = thresholds(seconds)
    _default(choices)
    apart = [
        _apart(each, others)
        for each, others in zip(seconds, thresholds_of_others(seconds), strict=True)
    ]
    levels = {"elevated": (1, ELEVATED_BUDGET), "spike": (2, SPIKE_BUDGET)}
    return {
        "thresholds": to_builtins(choices, str_keys=True),
        "levels": {
            name: _level(days, [parts[level - 1] for parts in apart], level, budget)
            for name, (level, budget) in levels.items()
        },
    }


def _apart(day: Seconds, others: dict[str, Choices]) -> tuple[Part, Part]:
    """Return a day with its runs of both levels, under the θ of all other days."""
    [elevated], [spike] = parts_of([day], _default(others))
    return elevated, spike


def _default(choices: dict[str, Choices]) -> Thresholds:
    elevated = choices["elevated"][ELEVATED_BUDGET]
    spike = choices["spike"][SPIKE_BUDGET]
    if elevated.theta is None or spike.theta is None:
        raise FitError(f"default budgets: refused {elevated.refused}, {spike.refused}")
    return Thresholds(elevated.theta, spike.theta)


def _level(
    days: Sequence[ScoredDay], parts: Sequence[Part], level: int, budget: int
) -> dict[str, Any]:
    load = load_of((part.seconds, part.runs) for part in parts)
    venues = dict.fromkeys(day.venue for day in days)
    return {
        "budget": budget,
        "starts": load.starts,
        "starts_a_day": load.starts_a_day,
        "interval_contains_budget": within_interval(load, budget),
        "venues": {
            name: _venue(
                [p for day, p in zip(days, parts, strict=True) if day.venue == name], level, budget
            )
            for name in venues
        },
    }


def _venue(parts: Sequence[Part], level: int, budget: int) -> dict[str, Any]:
    load = load_of((part.seconds, part.runs) for part in parts)
    plain = [Part(part.seconds, rule(part.seconds, level)) for part in parts]
    ever = [Part(part.seconds, always(part.seconds)) for part in parts]
    return {
        "within_factor_two": within_factor_two(load, budget),
        "model": to_builtins(event_table(parts, level, budget)),
        "rule": to_builtins(event_table(plain, level)),
        "always": to_builtins(event_table(ever, level)),
    }


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _rounded(each) for name, each in found.items()}
    if isinstance(found, list | tuple):
        return [_rounded(each) for each in found]
    return float(f"{found:.{DIGITS}g}") if isinstance(found, float) else found

"""Left-out days by events: θ by budget over all venues together, figures of each venue apart."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import to_builtins

from signals.budgets import DAY, SPIKE_BUDGET, Choices, Load, load_of, thresholds
from signals.poisson import poisson_interval
from signals.row import Thresholds
from signals.seconds import Columns, Seconds
from signals.table import Part, event_table, parts_of
from training.errors import FitError
from training.venues.forecasts import ScoredDay

ELEVATED_BUDGET: Final = 8


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
    """Return θ by budget and, under the default budgets, the figures of each venue.

    Raises:
        FitError: a default budget is refused.
    """
    seconds = [seconds_of(day) for day in days]
    choices = thresholds(seconds)
    used = _default(choices)
    elevated, spike = parts_of(seconds, used)
    venues = [day.venue for day in days]
    levels = {"elevated": (elevated, 1, ELEVATED_BUDGET), "spike": (spike, 2, SPIKE_BUDGET)}
    return {
        "thresholds": to_builtins(choices, str_keys=True),
        "levels": {name: _level(venues, *of) for name, of in levels.items()},
    }


def _default(choices: dict[str, Choices]) -> Thresholds:
    elevated = choices["elevated"][ELEVATED_BUDGET]
    spike = choices["spike"][SPIKE_BUDGET]
    if elevated.theta is None or spike.theta is None:
        raise FitError(f"default budgets: refused {elevated.refused}, {spike.refused}")
    return Thresholds(elevated.theta, spike.theta)


def _level(venues: Sequence[str], parts: Sequence[Part], level: int, budget: int) -> dict[str, Any]:
    load = load_of((part.seconds, part.runs) for part in parts)
    return {
        "starts_a_day": load.starts_a_day,
        "interval_contains_budget": within_interval(load, budget),
        "venues": {
            name: _venue(
                [p for v, p in zip(venues, parts, strict=True) if v == name], level, budget
            )
            for name in dict.fromkeys(venues)
        },
    }


def _venue(parts: Sequence[Part], level: int, budget: int) -> dict[str, Any]:
    load = load_of((part.seconds, part.runs) for part in parts)
    return {
        "within_factor_two": within_factor_two(load, budget),
        "table": to_builtins(event_table(parts, level, budget)),
    }

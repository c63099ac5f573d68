"""All that the days say by events: learned on Coinbase alone, judged on other venues."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from training.events.chances import CHANCES, figures_of
from training.events.judged import LEVELS, judged
from training.events.rivals import MODEL, Rival, fit_rivals
from training.models.relative import ChancesOf
from training.venues.examples import Examples, examples_of
from training.venues.forecasts import score_days
from training.venues.judging import COINBASE, read_coinbase
from training.venues.leveled import LeveledSeconds
from training.venues.venue_days import VENUES, read_venues

DIGITS: Final = 6
"""Significant ones: no two machines agree on the last bits of a fit."""


def find_events(data: Path) -> dict[str, Any]:
    """Return the figures of all venues' days, by rows that have seen none of them.

    Raises:
        DatasetError: a file cannot be read.
        FitError: a single class in what is learned from, or a default budget is refused.
    """
    venues = {days.venue.name: days.seconds for days in read_venues(data)}
    found: dict[str, Any] = rounded(events_of(read_coinbase(data).learned, venues))
    return found


def events_of(learned: Examples, venues: Mapping[str, LeveledSeconds]) -> dict[str, Any]:
    """Return the figures of venues' days by what is fitted on these examples.

    Raises:
        FitError: a single class in them, or a default budget is refused.
    """
    rivals = fit_rivals(learned)
    scored = {
        row: [day for name, seconds in venues.items() for day in score_days(rival, name, seconds)]
        for row, rival in rivals.items()
    }
    early = {name: examples_of(name, each, "provisional") for name, each in venues.items()}
    return {
        "learned": COINBASE,
        "products": {venue.name: venue.product for venue in VENUES if venue.name in venues},
        **judged(scored),
        "provisional": {name: _provisional(rivals, each) for name, each in early.items()},
    }


def _provisional(rivals: Mapping[str, Rival], examples: Examples) -> dict[str, Any]:
    """Return the chances of seconds whose level stands on one to eight hours, by level."""
    came = {"elevated": examples.spikes, "spike": examples.severe}
    said = {row: rival.chances(examples) for row, rival in rivals.items()}
    return {
        name: {
            row: figures_of(_of(each, level), came[name], row == MODEL)
            for row, each in said.items()
        }
        for name, (level, _) in LEVELS.items()
    }


def _of(chances: ChancesOf, level: int) -> Any:
    return getattr(chances, CHANCES[level])


def rounded(found: Any) -> Any:
    """Return figures with the digits that two machines agree on."""
    if isinstance(found, dict):
        return {name: rounded(each) for name, each in found.items()}
    if isinstance(found, list | tuple):
        return [rounded(each) for each in found]
    return float(f"{found:.{DIGITS}g}") if isinstance(found, float) else found

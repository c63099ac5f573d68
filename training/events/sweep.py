"""What other constants of the hysteresis would have given, on days that no model has seen.

Each setting has its own θ by budget, and each day the θ of all other days; nothing is chosen on
captures or on days that are kept for judging.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from signals.leads import EARLY
from signals.rules import DECAY, FROZEN, Hysteresis
from signals.runs import Runs
from signals.table import EventTable, Part, event_table
from training.errors import FitError
from training.events.found import rounded
from training.events.judged import LEVELS, Parts, left_out
from training.events.rivals import MODEL, fit_rivals
from training.venues.forecasts import ScoredDay, score_days
from training.venues.judging import read_coinbase
from training.venues.paired import day_name, gain
from training.venues.venue_days import read_venues

HALF_LIFE: Final = 60
SHORT: Final = 5
"""Seconds: a run below it is a flicker."""
SOON: Final = 300
"""Seconds after an end in which a start is the same story told twice."""
MORE_TIME: Final = 1.1
"""Of the time in state of the contract's constants: the most that others may take."""
SWEPT_LEADS: Final = (0, EARLY, 30)
CONTRACT: Final = "contract"


@dataclass(frozen=True, slots=True)
class Setting:
    """Constants that are tried; ``half_life`` is that of the score, in seconds."""

    name: str
    rules: Hysteresis = FROZEN
    half_life: int = HALF_LIFE

    @property
    def decay(self) -> float:
        """Return what is left of a score after a second."""
        return DECAY if self.half_life == HALF_LIFE else 0.5 ** (1 / self.half_life)

    @property
    def constants(self) -> dict[str, float]:
        """Return all of them by name."""
        return {"half_life": self.half_life, **asdict(self.rules)}


SETTINGS: Final = (
    Setting(CONTRACT),
    *(Setting(f"half-life {n} s", half_life=n) for n in (15, 30, 90, 120)),
    *(Setting(f"spike off at {x} θ", Hysteresis(spike_share=x)) for x in (0.3, 0.4, 0.6, 0.8)),
    *(
        Setting(f"elevated off at {x} θ", Hysteresis(elevated_share=x))
        for x in (0.4, 0.5, 0.7, 0.8)
    ),
    *(Setting(f"spike holds {n} s", Hysteresis(spike_lasting=n)) for n in (30, 120, 240)),
    *(Setting(f"elevated holds {n} s", Hysteresis(elevated_lasting=n)) for n in (60, 240, 480)),
    Setting(
        "quick", Hysteresis(0.6, spike_lasting=30, elevated_share=0.7, elevated_lasting=60), 30
    ),
    Setting("slow", Hysteresis(0.4, spike_lasting=120, elevated_share=0.5, elevated_lasting=240)),
    Setting("quick in, slow out", Hysteresis(spike_lasting=120, elevated_lasting=240), 30),
    Setting("slow in, quick out", Hysteresis(spike_lasting=30, elevated_lasting=60), 120),
)
"""The contract's constants, then one changed at a time, then some together."""


def find_sweep(data: Path, settings: Sequence[Setting] = SETTINGS) -> dict[str, Any]:
    """Return what settings give on all venues' days, by the model that has seen none of them.

    Raises:
        DatasetError: a file cannot be read.
        FitError: a single class in what is learned from, or the contract's budgets are refused.
    """
    model = fit_rivals(read_coinbase(data).learned)[MODEL]
    days = [
        day
        for each in read_venues(data)
        for day in score_days(model, each.venue.name, each.seconds)
    ]
    found: dict[str, Any] = rounded(swept(days, settings))
    return found


def swept(days: Sequence[ScoredDay], settings: Sequence[Setting] = SETTINGS) -> dict[str, Any]:
    """Return the figures of each setting by level, and which constants the criterion picks.

    The first setting is the one that others are beside. A setting whose default budgets are
    refused has no figures.

    Raises:
        FitError: they are refused to the first.
    """
    first, *others = settings
    parts = _parts(days, first)
    if parts is None:
        raise FitError("found default budgets that are refused, expected θ of both")
    beside = _apart(parts)
    found = {first.name: _document(first, _levels(days, parts, None))}
    for setting in others:
        each = _parts(days, setting)
        found[setting.name] = _document(setting, each and _levels(days, each, beside))
    for document in found.values():
        document["passes"] = passes(document["levels"], found[first.name]["levels"])
    return {"days": len(days), "settings": found, "picked": picked(found, first.name)}


def passes(levels: Mapping[str, Any] | None, contract: Mapping[str, Any]) -> bool:
    """Say whether a setting meets the criterion, which was fixed before the sweep.

    At both levels no more flickers, no more restarts and at most a tenth more time in state;
    and what is detected 10 s ahead, less chance, is above the contract's by an interval over whole
    days that excludes 0 at one level at least, and below it so at none.
    """
    if levels is None or any(of["above_contract"] is None for of in levels.values()):
        return False
    verdicts = {of["above_contract"]["verdict"] for of in levels.values()}
    is_calm = all(_as_calm(of, contract[name]) for name, of in levels.items())
    return is_calm and "better" in verdicts and "worse" not in verdicts


def _as_calm(of: Mapping[str, Any], contract: Mapping[str, Any]) -> bool:
    fewer = all(of[name] <= contract[name] for name in ("flickers", "restarts"))
    return fewer and bool(of["in_state"] <= MORE_TIME * contract["in_state"])


def picked(found: Mapping[str, Any], contract: str) -> str:
    """Return the setting that passes with the largest gain over both levels, else the contract."""
    gains = {
        name: sum(level["above_contract"]["value"] for level in of["levels"].values())
        for name, of in found.items()
        if of["passes"]
    }
    return max(gains, key=gains.__getitem__, default=contract)


def _document(setting: Setting, levels: dict[str, Any] | None) -> dict[str, Any]:
    return {"constants": setting.constants, "levels": levels}


def _parts(days: Sequence[ScoredDay], setting: Setting) -> Parts | None:
    return left_out([day.stepped(setting.decay) for day in days], setting.rules)


def _levels(
    days: Sequence[ScoredDay], parts: Parts, beside: Mapping[str, Sequence[float]] | None
) -> dict[str, Any]:
    apart = _apart(parts)
    return {
        name: _figures(days, parts[level - 1], level, apart[name], beside[name] if beside else None)
        for name, (level, _) in LEVELS.items()
    }


def _apart(parts: Parts) -> dict[str, list[float]]:
    """Return of each level, day by day, what is detected 10 s ahead less chance."""
    return {
        name: [_above_chance(event_table([part], level), EARLY) for part in parts[level - 1]]
        for name, (level, _) in LEVELS.items()
    }


def _figures(
    days: Sequence[ScoredDay],
    parts: Sequence[Part],
    level: int,
    apart: Sequence[float],
    beside: Sequence[float] | None,
) -> dict[str, Any]:
    """Return one level's figures: counts of all days, leads of each venue apart."""
    table = event_table(parts, level)
    return {
        "starts": table.starts,
        "starts_a_day": table.starts_a_day,
        "flickers": sum(flickers(part) for part in parts),
        "restarts": sum(restarts(part.runs) for part in parts),
        "in_state": table.share_in_state,
        "right": table.right,
        "wrong": table.wrong,
        "above_chance": dict(_venues(days, parts, level)),
        "above_contract": beside and _gain(days, parts, level, np.subtract(apart, beside)),
    }


def _venues(
    days: Sequence[ScoredDay], parts: Sequence[Part], level: int
) -> Iterator[tuple[str, dict[str, float]]]:
    for venue in dict.fromkeys(day.venue for day in days):
        own = [part for day, part in zip(days, parts, strict=True) if day.venue == venue]
        table = event_table(own, level)
        yield venue, {str(lead): _above_chance(table, lead) for lead in SWEPT_LEADS}


def _gain(
    days: Sequence[ScoredDay], parts: Sequence[Part], level: int, each: Any
) -> dict[str, Any] | None:
    """Return the mean over onsets of what their days gain, with the interval over whole days."""
    onsets = [event_table([part], level).onsets for part in parts]
    day = np.repeat([one.day for one in days], onsets)
    return gain(np.repeat(each, onsets), day, day_name) if len(day) else None


def _above_chance(table: EventTable, lead: int) -> float:
    at = next(each for each in table.detected if each.lead == lead)
    return (at.share or 0.0) - (at.chance or 0.0)


def flickers(part: Part) -> int:
    """Return how many runs last under 5 s; the last seconds of a day cut none short."""
    runs = part.runs
    over = runs.end < len(part.seconds)
    return int((over & (runs.end - runs.start < SHORT)).sum())


def restarts(runs: Runs) -> int:
    """Return how many runs start within 300 s of an end of the same product."""
    spans = zip(runs.start.tolist(), runs.end.tolist(), strict=True)
    return sum(start - end <= SOON for (_, end), (start, _) in pairwise(spans))

"""What models said of days they never saw: learned from the days before, or on other venues."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.level.records import DAY_SECONDS
from signals.rules import DECAY
from signals.seconds import Columns, Seconds
from training.data.thresholds import Flags
from training.errors import FitError
from training.external.columns import Numbers, Times
from training.models.relative import ChancesOf, fit_relative
from training.venues.examples import Examples, examples_of
from training.venues.leveled import LeveledSeconds

EVERY: Final = 10
"""Seconds between examples that are learned from; all are judged."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Chances of one event for some seconds: the model's, the rule's, the base rate, what came.

    ``model`` is in units of τ over the known windows, ``rule`` rv60 alone in the same units,
    calibrated the same way, ``base`` the share of the event in what was learned from. ``part`` is
    the day or the capture.
    """

    came: Flags
    model: Numbers
    rule: Numbers
    base: Numbers
    part: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Forecasts of a spike (τ) and of a severe one (2τ)."""

    score: Forecast
    severe: Forecast


@dataclass(frozen=True)
class ScoredDay:
    """One day of a venue as its predictions would have stood, second by second, arrays [n].

    ``score`` and ``severe`` are chances, ``volatility`` is rv60 and ``tau`` the level (log
    returns over 60 s), ``ahead`` the volatility of the next 60 s, NaN where not known;
    ``after_break`` says that a break stands just before.
    """

    venue: str
    day: int
    second: Times
    score: Numbers
    severe: Numbers
    volatility: Numbers
    tau: Numbers
    ahead: Numbers
    after_break: Flags

    @cached_property
    def seconds(self) -> Seconds:
        """Its predictions as the machine steps them."""
        return self.stepped(DECAY)

    def stepped(self, decay: float) -> Seconds:
        """Return them as a machine would whose scores keep so much after a second."""
        return Seconds.of(Columns(*(getattr(self, name) for name in Columns.__slots__)), decay)


class Says(Protocol):
    """A model of a row of the table, or the ones that stand beside it."""

    def chances(self, examples: Examples) -> ChancesOf:
        """Return both chances of each example."""
        ...


def transfer(learned: Examples, tested: Examples) -> Forecasts:
    """Learn from some and forecast others; raises ``FitError`` for a single class."""
    few = learned.thinned(EVERY)
    model, rule = fit_relative(few), fit_relative(few, windows=1)
    return _forecasts(tested, model.chances(tested), rule.chances(tested), model.base)


def walk_forward(examples: Examples) -> Forecasts:
    """Forecast each day but the first by what was known before it began.

    Raises:
        FitError: a single class before a day, or a single day.
    """
    found = []
    for day in _several(examples)[1:]:
        before = examples.second + HORIZON < day * DAY_SECONDS
        found.append(transfer(examples.take(before), examples.take(examples.part == day)))
    return together(found)


def leave_one_out(examples: Examples, learned: Callable[[Examples], Examples]) -> Forecasts:
    """Forecast each part by what ``learned`` makes of all other parts.

    Raises:
        FitError: a single class in what is learned from, or a single part.
    """
    parts = [examples.part == part for part in _several(examples)]
    return together([transfer(learned(examples.take(~at)), examples.take(at)) for at in parts])


def score_days(model: Says, name: str, seconds: LeveledSeconds) -> Iterator[ScoredDay]:
    """Score each day of a venue by a model that has seen none of them."""
    tested = examples_of(name, seconds, labelled=False)
    for day in np.unique(tested.part).tolist():
        yield _scored(name, day, tested.take(tested.part == day), seconds, model)


def _scored(
    venue: str, day: int, tested: Examples, seconds: LeveledSeconds, model: Says
) -> ScoredDay:
    said, at = model.chances(tested), tested.second - seconds.second[0]
    return ScoredDay(
        venue=venue,
        day=day,
        second=tested.second,
        score=said.score,
        severe=said.severe,
        volatility=tested.volatility[:, 0],
        tau=tested.tau,
        ahead=tested.ahead,
        after_break=_first_after_a_hole(seconds, at),
    )


def _first_after_a_hole(seconds: LeveledSeconds, at: Times) -> Flags:
    """Say of examples at these positions whether a break stands between one and the one before."""
    breaks = np.cumsum(np.isnan(seconds.log_return))[at]
    found: Flags = np.diff(breaks, prepend=breaks[:1]) > 0
    return found


def _several(examples: Examples) -> npt.NDArray[np.int64]:
    parts: npt.NDArray[np.int64] = np.unique(examples.part)
    if len(parts) < 2:
        raise FitError(f"{examples.name}: found {len(parts)} parts, expected two or more")
    return parts


def together(several: Sequence[Forecasts]) -> Forecasts:
    """Return forecasts of several parts as one."""
    return Forecasts(
        _together([each.score for each in several]), _together([each.severe for each in several])
    )


def _together(several: Sequence[Forecast]) -> Forecast:
    columns = (
        np.concatenate([getattr(each, name) for each in several]) for name in Forecast.__slots__
    )
    return Forecast(*columns)


def _forecasts(
    tested: Examples, model: ChancesOf, rule: ChancesOf, base: tuple[float, float]
) -> Forecasts:
    n, part = len(tested), tested.part
    return Forecasts(
        Forecast(tested.spikes, model.score, rule.score, np.full(n, base[0]), part),
        Forecast(tested.severe, model.severe, rule.severe, np.full(n, base[1]), part),
    )

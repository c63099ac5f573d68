"""What models said of days they never saw: learned from the days before, or on other venues."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.level.records import DAY_SECONDS
from training.data.thresholds import Flags
from training.errors import FitError
from training.external.columns import Numbers
from training.venues.examples import Examples
from training.venues.fit import Chances, fit_relative

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
    tested: Examples, model: Chances, rule: Chances, base: tuple[float, float]
) -> Forecasts:
    n, part = len(tested), tested.part
    return Forecasts(
        Forecast(tested.spikes, model.score, rule.score, np.full(n, base[0]), part),
        Forecast(tested.severe, model.severe, rule.severe, np.full(n, base[1]), part),
    )

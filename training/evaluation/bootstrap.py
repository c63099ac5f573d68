"""Intervals by resampling blocks of time: neighbouring seconds are one observation, not sixty."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.slots import MICROSECONDS
from training.data.splits import EMBARGO, Times
from training.data.thresholds import Flags, Scores

BLOCK: Final = EMBARGO
"""Seconds of a block: the longest look-back, beyond which rows share nothing."""
REPEATS: Final = 1000
LEVEL: Final = 0.95
SEED: Final = 20
_AT_ONCE: Final = 50

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it, of the level ``LEVEL``."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance between both ends."""
        return (self.high - self.low) / 2

    def document(self) -> dict[str, float]:
        """Return it for the report."""
        return {name: round(getattr(self, name), 6) for name in ("value", "low", "high")}


@dataclass(frozen=True, slots=True)
class Resampled:
    """How often each row counts in each repetition: all rows of a drawn block once more.

    ``block`` numbers each row's block of time; all products of a time share one. ``draws`` is
    [repeats, blocks].
    """

    block: npt.NDArray[np.intp]
    draws: Weights

    @classmethod
    def of(cls, time_us: Times, repeats: int = REPEATS, seed: int = SEED) -> "Resampled":
        """Draw as many blocks as there are, with putting back."""
        _, block = np.unique(time_us // (BLOCK * MICROSECONDS), return_inverse=True)
        count = int(block.max()) + 1
        chance = np.random.default_rng(seed)
        draws = chance.multinomial(count, np.full(count, 1.0 / count), repeats)
        return cls(block.astype(np.intp), draws.astype(np.float64))

    def interval(self, value: float, of: Callable[[Weights], Scores]) -> Interval:
        """Return the percentile interval of a figure; ``of`` maps weights [k, n] to k figures."""
        starts = range(0, len(self.draws), _AT_ONCE)
        found = [of(self.draws[at : at + _AT_ONCE][:, self.block]) for at in starts]
        known = np.concatenate(found)
        known = known[~np.isnan(known)]
        if not len(known):
            return Interval(value, np.nan, np.nan)
        edge = (1.0 - LEVEL) / 2
        low, high = np.quantile(known, [edge, 1.0 - edge])
        return Interval(value, float(low), float(high))


def average_precisions(spikes: Flags, score: Scores, weights: Weights) -> Scores:
    """Return the average precision under each row of weights [k, n]; NaN where no spike counts."""
    order = np.argsort(-score, kind="stable")
    weighed, ranked = weights[:, order], score[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(weighed * spikes[order], axis=1)[:, ends]
    alarms = np.cumsum(weighed, axis=1)[:, ends]
    total = hits[:, -1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(alarms > 0, hits / alarms, 0.0)
        step = np.diff(hits, axis=1, prepend=0.0) / total
    found: Scores = (step * precision).sum(axis=1)
    return found


def precision_difference(spikes: Flags, one: Scores, other: Scores, draws: Resampled) -> Interval:
    """Return how much higher the PR-AUC of ``one`` is than that of ``other``."""

    def of(weights: Weights) -> Scores:
        gain = average_precisions(spikes, one, weights)
        return gain - average_precisions(spikes, other, weights)

    return draws.interval(float(of(np.ones((1, len(spikes))))[0]), of)


def brier_difference(spikes: Flags, one: Scores, other: Scores, draws: Resampled) -> Interval:
    """Return how much higher, which is worse, the Brier score of ``one`` is than that of ``other``.

    Resampling rows without a spike says nothing of the spikes they might have had: in n minutes
    without one their share may still be up to 3/n. The interval reaches to what that gives.
    """
    each = (one - spikes) ** 2 - (other - spikes) ** 2

    def of(weights: Weights) -> Scores:
        found: Scores = (weights @ each) / weights.sum(axis=1)
        return found

    found = draws.interval(float(each.mean()), of)
    if spikes.any():
        return found
    unseen = min(1.0, 3.0 * HORIZON / len(spikes))
    moved = found.value + 2.0 * unseen * float((other - one).mean())
    return Interval(found.value, min(found.low, moved), max(found.high, moved))

"""The fit in units of τ: for each prefix of windows that are known, both chances."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from serving.relative import LEAST_INPUT, SCORE, SEVERE, WINDOWS, Chances, Coefficients, Relative
from training.data.thresholds import Flags, Scores
from training.errors import FitError

STEPS: Final = 50
CLOSE: Final = 1e-9


class InUnits(Protocol):
    """``volatility`` [n, 4] over ``WINDOWS``, NaN where not known, and ``tau`` [n]: log returns."""

    @property
    def volatility(self) -> Scores: ...
    @property
    def tau(self) -> Scores: ...


class Labelled(InUnits, Protocol):
    """Also what followed, [n]: whether the next minute reached τ, and twice τ."""

    @property
    def name(self) -> str: ...
    @property
    def spikes(self) -> Flags: ...
    @property
    def severe(self) -> Flags: ...


@dataclass(frozen=True, slots=True)
class ChancesOf:
    """P(RV ≥ τ) and P(RV ≥ 2τ) of some seconds, [n]."""

    score: Scores
    severe: Scores


@dataclass(frozen=True, slots=True)
class RelativeFit:
    """Log odds by prefix: ``sets[k-1]`` is [k + 1, 2], intercept first, score and severe."""

    sets: tuple[Scores, ...]
    base: tuple[float, float]

    def chances(self, examples: InUnits) -> ChancesOf:
        """Return both chances; a second whose first window is unknown has the base rates.

        They are those of ``served`` within rounding.
        """
        x = inputs(examples)
        known = np.minimum.accumulate(~np.isnan(x), axis=1).sum(axis=1)
        odds = np.empty((len(x), 2))
        odds[:] = [np.log(p / (1.0 - p)) for p in self.base]
        for k, weights in enumerate(self.sets, start=1):
            last = k == len(self.sets)
            at = known >= k if last else known == k
            odds[at] = weights[0] + x[at, :k] @ weights[1:]
        chance = 1.0 / (1.0 + np.exp(-odds))
        score = np.clip(chance[:, 0], *SCORE)
        return ChancesOf(score, np.minimum(np.clip(chance[:, 1], *SEVERE), score))

    def served(self, variant: str) -> Relative:
        """Return the model that serves these numbers."""
        score, severe = (tuple(_column(each, at) for each in self.sets) for at in (0, 1))
        return Relative(variant, score, severe, Chances(*self.base))


def inputs(examples: InUnits) -> Scores:
    """Return ln(max(rv_w · √(60/w) / τ, 0.02)), [n, 4], NaN where a window is not known."""
    scale = np.sqrt(60.0 / np.array(WINDOWS)) / examples.tau[:, None]
    found: Scores = np.log(np.maximum(examples.volatility * scale, LEAST_INPUT))
    return found


def fit_relative(
    examples: Labelled, windows: int = len(WINDOWS), weight: Scores | None = None
) -> RelativeFit:
    """Fit the sets of the first ``windows`` windows; with one it is the calibrated rv60 rule.

    Each is fitted on all examples that know at least its windows; ``weight`` [n] says how much
    an example counts, by default 1.

    Raises:
        FitError: a single class of spikes or of severe ones.
    """
    x, outcomes = inputs(examples), (examples.spikes, examples.severe)
    weight = np.ones(len(x)) if weight is None else weight
    sets = []
    for k in range(1, windows + 1):
        known = ~np.isnan(x[:, :k]).any(axis=1)
        for outcome in outcomes:
            if len(np.unique(outcome[known & (weight > 0)])) < 2:
                raise FitError(f"{examples.name}: found a single class, expected both")
        fits = [_logistic(x[known, :k], y[known], weight[known]) for y in outcomes]
        sets.append(np.column_stack(fits))
    base = [float(np.average(outcome, weights=weight)) for outcome in outcomes]
    return RelativeFit(tuple(sets), (base[0], base[1]))


def _logistic(x: Scores, positive: Flags, weight: Scores) -> Scores:
    """Return the coefficients of greatest likelihood, by Newton's method, intercept first."""
    design = np.column_stack([np.ones(len(x)), x])
    found = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-(design @ found)))
        curvature = design.T @ (design * (weight * chance * (1.0 - chance))[:, None])
        curvature += 1e-9 * np.eye(len(found))
        step = np.linalg.solve(curvature, design.T @ (weight * (positive - chance)))
        found = found + step
        if np.abs(step).max() < CLOSE:
            break
    return found


def _column(weights: Scores, at: int) -> Coefficients:
    return tuple(map(float, weights[:, at]))

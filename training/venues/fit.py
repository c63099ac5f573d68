"""Both chances in units of τ: a coefficient set for each prefix of windows that are known."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from training.data.thresholds import Flags
from training.errors import FitError
from training.external.columns import Numbers
from training.venues.examples import Examples
from training.venues.windows import WINDOWS

LEAST_INPUT: Final = 0.02
SCORE: Final = (0.02, 0.95)
SEVERE: Final = (0.001, 0.95)
STEPS: Final = 50
CLOSE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Chances:
    """P(RV ≥ τ) and P(RV ≥ 2τ) of some seconds."""

    score: Numbers
    severe: Numbers


@dataclass(frozen=True, slots=True)
class RelativeFit:
    """Log odds by prefix: ``sets[k]`` is [k + 2, 2], intercept first, score and severe."""

    sets: tuple[Numbers, ...]
    base: tuple[float, float]

    def chances(self, examples: Examples) -> Chances:
        """Return both chances; a second whose first window is unknown has the base rates."""
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
        return Chances(score, np.minimum(np.clip(chance[:, 1], *SEVERE), score))


def inputs(examples: Examples) -> Numbers:
    """Return ln(max(rv_w · √(60/w) / τ, 0.02)), [n, 4], NaN where a window is not known."""
    scale = np.sqrt(60.0 / np.array(WINDOWS)) / examples.tau[:, None]
    found: Numbers = np.log(np.maximum(examples.volatility * scale, LEAST_INPUT))
    return found


def fit_relative(examples: Examples, windows: int = len(WINDOWS)) -> RelativeFit:
    """Fit the sets of the first ``windows`` windows; with one it is the calibrated rv60 rule.

    Raises:
        FitError: a single class of spikes or of severe ones.
    """
    x, outcomes = inputs(examples), (examples.spikes, examples.severe)
    for outcome in outcomes:
        if not 0 < outcome.sum() < len(outcome):
            raise FitError(f"{examples.name}: found a single class, expected both")
    sets = []
    for k in range(1, windows + 1):
        known = ~np.isnan(x[:, :k]).any(axis=1)
        sets.append(np.column_stack([_logistic(x[known, :k], y[known]) for y in outcomes]))
    return RelativeFit(tuple(sets), (float(outcomes[0].mean()), float(outcomes[1].mean())))


def _logistic(x: Numbers, positive: Flags) -> Numbers:
    """Return the coefficients of greatest likelihood, by Newton's method, intercept first."""
    design = np.column_stack([np.ones(len(x)), x])
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-(design @ weights)))
        curvature = design.T @ (design * (chance * (1.0 - chance))[:, None])
        curvature += 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curvature, design.T @ (positive - chance))
        weights = weights + step
        if np.abs(step).max() < CLOSE:
            break
    return weights

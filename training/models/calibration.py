"""Calibration on a later slice of the training part: scores become believable probabilities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit  # type: ignore[import-untyped]
from sklearn.isotonic import IsotonicRegression

from featurizer.labels import HORIZON
from featurizer.slots import MICROSECONDS
from training.data.splits import Times, label_end_us
from training.data.thresholds import Flags, Scores

Method = Literal["none", "errors", "sigmoid", "isotonic"]
METHODS: Final[tuple[Method, ...]] = ("none", "errors", "sigmoid", "isotonic")
"""From simple to free. ``errors``: level and spread of a forecast from its later errors."""
LATER_SHARE: Final = 0.25
_EDGE: Final = 1e-12


def later_slice(
    time_us: Times, share: float = LATER_SHARE
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Cut rows in order of time into an earlier part and a later one of that share.

    A second is never cut; rows whose label reaches into the later part go.
    """
    cut = int(len(time_us) * (1.0 - share))
    start = int(time_us[min(cut, len(time_us) - 1)]) // MICROSECONDS * MICROSECONDS
    return np.flatnonzero(label_end_us(time_us) <= start), np.flatnonzero(time_us >= start)


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """log odds → slope · log odds + offset (Platt), drawn towards leaving them as they are.

    Labels of neighbouring seconds share 59 of 60 returns: a row counts as 1/60 of an
    observation, against a prior of one standard unit around slope 1 and offset 0. With few
    episodes in the slice little is changed.
    """

    slope: float = 1.0
    offset: float = 0.0

    @classmethod
    def fit(cls, scores: Scores, spikes: Flags) -> Self:
        """Find the most likely pair by Newton's method."""
        x, found = _log_odds(scores), np.array([1.0, 0.0])
        design, weight = np.column_stack([x, np.ones(len(x))]), 1.0 / HORIZON
        for _ in range(50):
            chance = expit(design @ found)
            slope = weight * design.T @ (chance - spikes) + found - (1.0, 0.0)
            bend = (design * (weight * chance * (1 - chance))[:, None]).T @ design + np.eye(2)
            step = np.linalg.solve(bend, slope)
            found = found - step
            if float(np.abs(step).max()) < 1e-12:
                break
        return cls(float(found[0]), float(found[1]))

    def __call__(self, scores: Scores) -> Scores:
        """Return calibrated scores."""
        found: Scores = expit(self.slope * _log_odds(scores) + self.offset)
        return found


@dataclass(frozen=True, slots=True)
class Isotonic:
    """The best rising step function, flat beyond what the slice shows."""

    steps: Any

    @classmethod
    def fit(cls, scores: Scores, spikes: Flags) -> Self:
        """Find it by pooling neighbours that fall."""
        return cls(IsotonicRegression(out_of_bounds="clip").fit(scores, spikes.astype(float)))

    def __call__(self, scores: Scores) -> Scores:
        """Return calibrated scores."""
        found: Scores = self.steps.predict(scores)
        return found


Calibrator = Callable[[Scores], Scores]


class CalibratedPipeline:
    """A fitted pipeline and its calibrator, to be served in place of the bare pipeline."""

    def __init__(self, pipeline: Any, calibrator: Calibrator) -> None:
        self.pipeline = pipeline
        self.calibrator = calibrator
        self.classes_ = np.array([False, True])

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the calibrated probabilities of no spike and of a spike, [n, 2]."""
        chance = self.calibrator(self.pipeline.predict_proba(X)[:, 1])
        return np.column_stack([1.0 - chance, chance])


def _log_odds(scores: Scores) -> Scores:
    found: Scores = logit(np.clip(scores, _EDGE, 1.0 - _EDGE))
    return found

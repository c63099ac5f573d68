"""Point: what the charts show of a stretch of event time, and how several become one."""

from dataclasses import dataclass
from typing import Final

from scorer.prediction import Prediction
from signals.row import Thresholds
from signals.state import Mode

RANK: Final[dict[Mode, int]] = {"calm": 0, "blind": 1, "elevated": 2, "spike": 3}
"""Which mode a point has that is of several: what is shortest is not to be lost."""


@dataclass(frozen=True, slots=True)
class Point:
    """A row, or several conflated: the last price and θ, the highest of all else.

    ``time_us`` is event time; ``ratio`` is RV60 over τ, ``score`` the chance of τ, ``severe`` that
    of 2τ, ``elevated`` and ``spike`` are θ of their states; null is unknown.
    """

    time_us: int
    price: float
    ratio: float | None
    score: float | None
    severe: float | None
    elevated: float | None
    spike: float | None
    mode: Mode

    def then(self, later: "Point") -> "Point":
        """Return the point that stands for this one and a later one."""
        return Point(
            time_us=later.time_us,
            price=later.price,
            ratio=_higher(self.ratio, later.ratio),
            score=_higher(self.score, later.score),
            severe=_higher(self.severe, later.severe),
            elevated=later.elevated,
            spike=later.spike,
            mode=max(self.mode, later.mode, key=RANK.__getitem__),
        )


def point_of(prediction: Prediction, mode: Mode, thresholds: Thresholds | None) -> Point:
    """Return the point of one prediction."""
    volatility, tau = prediction.realized_volatility_60s, prediction.tau
    return Point(
        time_us=prediction.time_us,
        price=prediction.mid,
        ratio=volatility / tau if volatility is not None and tau else None,
        score=prediction.score,
        severe=prediction.severe,
        elevated=None if thresholds is None else thresholds.elevated,
        spike=None if thresholds is None else thresholds.spike,
        mode=mode,
    )


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)

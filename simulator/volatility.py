"""A volatility with a memory of minutes to days: a sum of mean-reverting terms.

The logarithm of the annual volatility is a product's median plus Ornstein-Uhlenbeck terms, rare
jumps and a daily shape. ``python -m benchmarks.market_fit`` compares it with a month of minutes.

Fitted to Coinbase's BTC-USD minutes of 2026-07-06 to 2026-08-05: the autocovariance of the log
of the 5-minute volatility, its daily shape taken off, is 0.240, 0.213, 0.132 and 0.062 after
5 and 30 minutes, 4 and 24 hours. Non-negative least squares on exp(-lag/τ) give the variances
of the three slow terms. 5 minutes do not show the two fast ones: they are those of the minutes'
log range, scaled by the ratio of both autocovariances after 5 minutes.
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from statistics import NormalDist
from typing import Final

DAY_S: Final = 86_400
MOODS: Final = "moods"
"""The market without any of this: moods that follow each other."""
WANDERING: Final = "wandering"
VARIANCES: Final = {60: 0.09, 300: 0.01, 1_800: 0.043, 14_400: 0.072, DAY_S: 0.131}
"""Stationary variance of each term by its time constant in seconds."""
SLOW_S: Final = 1_800
"""A mood holds the terms from this time constant on; the faster ones go on under it."""
COMMON: Final = 0.6
"""Share of the variance that all products have in common."""
JUMPS_A_DAY: Final = 6.0
JUMP_MEAN: Final = 1.0
JUMP_S: Final = 300
"""Jumps are exponential, with this mean, and fade with this time constant in seconds."""
SHAPE: Final = ((-0.046, -0.141), (0.016, 0.192))
"""Cosine and sine of the first and second harmonic of the UTC day."""
MEDIAN: Final = 0.23
"""Annual volatility in the middle of the log scale, as a fraction: the minutes' geometric mean."""
QUANTILES: Final = {"calm": 0.1, "normal": 0.5, "wild": 0.97}
"""The moods as quantiles of the stationary log volatility."""


@dataclass(slots=True)
class Terms:
    """The terms of one random stream and its jumps, begun in their stationary distribution."""

    random: Random
    values: dict[int, float] = field(init=False)
    jump: float = 0.0

    def __post_init__(self) -> None:
        """Draw the beginning."""
        gauss = self.random.gauss
        self.values = {tau: gauss(0.0, math.sqrt(of)) for tau, of in VARIANCES.items()}

    def step(self, seconds: float) -> None:
        """Go on by so many seconds: exact for the terms, with at most one jump within."""
        for tau, stays, spread in _step(seconds):
            self.values[tau] = stays * self.values[tau] + self.random.gauss(0.0, spread)
        self.jump *= math.exp(-seconds / JUMP_S)
        if self.random.random() < 1 - math.exp(-seconds * JUMPS_A_DAY / DAY_S):
            faded = math.exp(-self.random.random() * seconds / JUMP_S)
            self.jump += faded * self.random.expovariate(1 / JUMP_MEAN)


class Volatility:
    """One product's volatility; those of one seed are correlated, whichever others there are."""

    def __init__(self, seed: int, product: str) -> None:
        self._common = Terms(Random(f"{seed}/volatility"))
        self._own = Terms(Random(f"{seed}/{product}/volatility"))
        self.mood: str | None = None

    def step(self, seconds: float) -> None:
        """Go on by so many seconds."""
        self._common.step(seconds)
        self._own.step(seconds)

    def hold(self, mood: str | None) -> None:
        """Stay near a mood's quantile from here on, or wander again.

        Raises:
            ValueError: there is no such mood.
        """
        if mood is not None and mood not in QUANTILES:
            raise ValueError(f"found mood {mood!r}, expected one of {', '.join(QUANTILES)}")
        self.mood = mood

    def annual(self, second_of_day: float) -> float:
        """Return the annual volatility, as a fraction."""
        if self.mood is None:
            return MEDIAN * math.exp(self.deviation(0) + shape(second_of_day))
        held = NormalDist(0.0, STATIONARY_SD).inv_cdf(QUANTILES[self.mood])
        fast = self.deviation(0) - self.deviation(SLOW_S)
        return MEDIAN * math.exp(held + fast)

    def deviation(self, least_s: int) -> float:
        """Return the log deviation from the median by the terms from a time constant on."""
        return math.sqrt(COMMON) * _sum(self._common, least_s) + math.sqrt(1 - COMMON) * _sum(
            self._own, least_s
        )


def course_of(seed: int, product: str, kind: str) -> Volatility:
    """Return a volatility that wanders, or is held at the mood of that name.

    Raises:
        ValueError: there is no such mood.
    """
    made = Volatility(seed, product)
    made.hold(None if kind == WANDERING else kind)
    return made


def kind_of(volatility: str) -> str:
    """Return what a feed's label names of a market before its seed: each kind has its own level.

    >>> kind_of(MOODS), kind_of(WANDERING)
    ('', 'wandering-')
    """
    return "" if volatility == MOODS else f"{volatility}-"


def shape(second_of_day: float) -> float:
    """Return what the time of the UTC day adds to the log volatility.

    >>> round(shape(0.0), 3), round(shape(54_000.0), 3)
    (-0.03, 0.324)
    """
    angle = 2 * math.pi * second_of_day / DAY_S
    return sum(
        cosine * math.cos(k * angle) + sine * math.sin(k * angle)
        for k, (cosine, sine) in enumerate(SHAPE, 1)
    )


def _sum(terms: Terms, least_s: int) -> float:
    slow = sum(value for tau, value in terms.values.items() if tau >= least_s)
    return slow + (terms.jump if least_s <= JUMP_S else 0.0)


@lru_cache
def _step(seconds: float) -> list[tuple[int, float, float]]:
    """Return time constant, what stays and what is added (standard deviation) by term."""
    steps = ((tau, math.exp(-seconds / tau), of) for tau, of in VARIANCES.items())
    return [(tau, stays, math.sqrt(of * (1 - stays * stays))) for tau, stays, of in steps]


STATIONARY_SD: Final = math.sqrt(sum(VARIANCES.values()))
"""Standard deviation of the log volatility without jumps and daily shape."""

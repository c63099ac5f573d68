"""What mean a count is compatible with."""

from collections.abc import Callable
from math import exp, fsum, lgamma, log
from typing import Final

LEVEL: Final = 0.9
_STEPS: Final = 60
"""Bisections: each halves the interval, so what is left is below any float that is printed."""


def poisson_interval(count: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of the mean of a Poisson count, after Garwood (1936).

    >>> [round(bound, 3) for bound in poisson_interval(10)]
    [5.425, 16.962]
    """
    tail = (1.0 - level) / 2.0
    most = 2.0 * count + 20.0
    high = _root(lambda mean: tail - _at_most(count, mean), most)
    if not count:
        return 0.0, high
    return _root(lambda mean: 1.0 - _at_most(count - 1, mean) - tail, most), high


def _at_most(count: int, mean: float) -> float:
    """Return the probability of at most so many."""
    if mean <= 0.0:
        return 1.0
    return fsum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(count + 1))


def _root(rising: Callable[[float], float], most: float) -> float:
    """Return where a function that rises from below 0 to above it, up to ``most``, is 0."""
    low, high = 0.0, most
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if rising(middle) > 0.0 else (middle, high)
    return high

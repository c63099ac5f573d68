"""The statistics that features are made of: what a slot contributes, and what the sum becomes."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Final

from featurizer.slots import Slot

Term = Callable[[Slot], float | None]
Known = Callable[[int, int, int], bool]
LEAST_RETURNS: Final = 20
"""Of fewer returns no volatility is made."""


def _half(n: int, age: int, window: int) -> bool:
    return 2 * n >= window


def _early(n: int, age: int, window: int) -> bool:
    return (n >= LEAST_RETURNS) & (3 * age >= window)


@dataclass(frozen=True, slots=True)
class Statistic:
    """One kind of feature: what each slot contributes, and what is made of the sum.

    ``term(slot)`` is a slot's contribution, None where it has none.
    ``with_now`` says whether the current slot counts; else the window is W closed slots.
    ``value(total, n, window)`` makes the feature of the sum of ``n`` terms.
    ``known(n, age, window)`` says whether that is enough, ``age`` seconds after the product's feed
    began; else the feature is unknown; a further term never takes that back. By default it takes
    half of the window's seconds.
    ``term`` and ``known`` are made of operators alone, so that they do for columns of slots too
    (``training.batch``), with NaN for None.
    ``signed`` says that it may be below 0; else it is compared by its logarithm.
    """

    name: str
    unit: str
    definition: str
    term: Term
    value: Callable[[float, int, int], float]
    with_now: bool = True
    signed: bool = False
    known: Known = _half


@dataclass(frozen=True, slots=True)
class Return:
    """The feature that compares two slots instead of summing over them."""

    name: str
    unit: str
    definition: str


def _square(slot: Slot) -> float | None:
    r = slot.log_return
    return None if r is None else r * r


def mean(total: float, n: int, window: int) -> float:
    """Return the mean; ``featurizer.windows`` writes it out where it is made for each event."""
    return total / n


def volatility(total: float, n: int, window: int) -> float:
    """Return the volatility over a window, of the squares of ``n`` returns."""
    return sqrt(window / n * total)


REALIZED_VOLATILITY = Statistic(
    "realized_volatility",
    "log return",
    "sqrt(W/n · Σ r_k²)",
    _square,
    volatility,
    known=_early,
)
LOG_RETURN = Return("log_return", "log return", "ln(mid_s / mid_{s−W})")
SPREAD_MEAN = Statistic(
    "spread_mean",
    "fraction",
    "mean over slots of (ask − bid)/mid",
    lambda slot: slot.spread,
    mean,
)
TRADE_INTENSITY = Statistic(
    "trade_intensity",
    "1/s",
    "ticks in the closed slots s−W … s−1, divided by n of them",
    lambda slot: 1.0 * slot.ticks,
    mean,
    with_now=False,
)
ORDER_BOOK_IMBALANCE = Statistic(
    "order_book_imbalance",
    "–",
    "mean over slots with sizes of (bid_size − ask_size)/(bid_size + ask_size), −1…1",
    lambda slot: slot.imbalance,
    mean,
    signed=True,
)
PRICE_VELOCITY = Statistic(
    "price_velocity",
    "fraction/s",
    "mean over returns of abs(mid_k − mid_{k−1})/mid_{k−1}",
    lambda slot: slot.velocity,
    mean,
)

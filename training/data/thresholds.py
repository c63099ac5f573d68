"""τ, where a spike begins, and the threshold, where an alarm does: one of each per product."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.slots import MICROSECONDS
from training.data.rows import Table

TAU_PERCENTILE: Final = 90.0
"""The share of seconds that are spikes is 10 % of each product's training rows by making."""

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]
Tau = Mapping[str, float] | Scores
"""τ (log return over 60 s) by product, or of each row, [n]."""


def tau_of(table: Table, percentile: float = TAU_PERCENTILE) -> dict[str, float]:
    """Return each product's τ (log return over 60 s): that percentile of its rows' volatility."""
    return {
        str(product): float(np.percentile(table.volatility[table.product == product], percentile))
        for product in np.unique(table.product)
    }


def limits_of(table: Table, tau: Tau) -> Scores:
    """Return the τ of each row: its own, or its product's."""
    if not isinstance(tau, Mapping):
        return tau
    return np.array([tau[product] for product in table.product.tolist()], np.float64)


def spikes_of(table: Table, tau: Tau) -> Flags:
    """Return for each row whether the volatility of its next 60 s reached its τ."""
    return table.volatility >= limits_of(table, tau)


def threshold_of(scores: Scores, spikes: Flags) -> float:
    """Return the score that as many of these rows reach as were spikes.

    It asks for no labels beyond their share, so that a few spikes cannot be fitted by it.

    >>> threshold_of(np.array([0.1, 0.2, 0.3, 0.8]), np.array([False, True, False, False]))
    0.8
    """
    count = int(spikes.sum())
    return float(np.sort(scores)[-count]) if count else float(scores.max())


def thresholds_of(table: Table, scores: Scores, spikes: Flags) -> dict[str, float]:
    """Return each product's threshold, made from its own rows as its τ is."""
    found = {}
    for product in np.unique(table.product):
        own = table.product == product
        found[str(product)] = threshold_of(scores[own], spikes[own])
    return found


def episodes_of(time_us: npt.NDArray[np.int64], spikes: Flags) -> int:
    """Count the spikes that stand apart: seconds whose horizons overlap are one event.

    ``time_us`` are one product's rows in order of time.
    """
    seconds = time_us[spikes] // MICROSECONDS
    return int((np.diff(seconds) > HORIZON).sum()) + 1 if len(seconds) else 0


def learned_products(table: Table, spikes: Flags, group: npt.NDArray[np.intp]) -> list[str]:
    """Return the products to learn from: those whose spikes stand in two groups or more.

    A τ from one hour says what was high in that hour, a different event from the others'.
    Where no product has as much, all are learned from.
    """
    products = [str(product) for product in np.unique(table.product)]
    wide = [p for p in products if len(np.unique(group[spikes & (table.product == p)])) >= 2]
    return wide or products

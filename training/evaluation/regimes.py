"""Parts of rows: products, and regimes of volatility, by what the last 300 s were.

A regime is known at the time, never the outcome.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Final

import numpy as np

from training.data.rows import Table
from training.data.thresholds import Flags, Tau, limits_of

REGIMES: Final = ("calm", "brisk", "wild")
EDGES: Final = (1 / 3, 1.0)
"""Volatility of the last 300 s, brought to 60 s, in units of the product's τ."""
MEANING: Final = "calm: the last 300 s below a third of τ; brisk: below τ; wild: τ or more"


def regimes_of(table: Table, tau: Tau) -> dict[str, Flags]:
    """Return which rows are of each regime; where volatility is unknown, of none."""
    limit = limits_of(table, tau)
    ratio = table.column("realized_volatility_300s") / sqrt(5) / limit
    low, high = EDGES
    return {
        "calm": ratio < low,
        "brisk": (ratio >= low) & (ratio < high),
        "wild": ratio >= high,
    }


def by_product(table: Table, parts: Mapping[str, Flags]) -> dict[str, Flags]:
    """Return the rows of each product by its name, then those of its parts; none over several.

    Spikes of two products are different events, as each has a τ of its own. What has no row is
    left out.
    """
    found: dict[str, Flags] = {}
    for product in np.unique(table.product).tolist():
        own = table.product == product
        found |= {product: own} | {f"{product}, {part}": own & rows for part, rows in parts.items()}
    return {part: rows for part, rows in found.items() if rows.any()}

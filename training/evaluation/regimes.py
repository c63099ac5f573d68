"""Regimes of volatility, by what the last 300 s were: known at the time, never the outcome."""

from math import sqrt
from typing import Final

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

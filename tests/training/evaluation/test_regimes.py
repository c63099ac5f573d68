"""Regimes by the volatility that was known."""

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from featurizer.features import NAMES
from training.data.rows import Table
from training.evaluation.regimes import REGIMES, by_product, regimes_of

TAU = {"BTC-USD": 0.001}


@pytest.mark.parametrize(
    ("ratio", "regime"),
    [(0.1, "calm"), (0.3333, "calm"), (0.34, "brisk"), (0.999, "brisk"), (1.001, "wild")],
)
def test_volatility_is_held_against_the_threshold(
    market_table: Callable[..., Table], ratio: float, regime: str
) -> None:
    """That of the last 300 s, brought to 60 s, in units of τ; each row is of one regime."""
    table = market_table(rows=100)
    table.features[:, NAMES.index("realized_volatility_300s")] = ratio * 0.001 * sqrt(5)
    found = regimes_of(table, TAU)
    assert {name for name in REGIMES if found[name].all()} == {regime}
    assert sum(found[name].sum() for name in REGIMES) == len(table)


def test_an_unknown_volatility_is_of_no_regime(market_table: Callable[..., Table]) -> None:
    """It is not taken for a calm one."""
    table = market_table(rows=100)
    table.features[:, NAMES.index("realized_volatility_300s")] = np.nan
    assert not any(flags.any() for flags in regimes_of(table, TAU).values())


def test_no_part_is_over_two_products(market_table: Callable[..., Table]) -> None:
    """Each has rows of its own by its name and by part; together they are all, each row once."""
    table = market_table(rows=100)
    table.product[::3] = "ETH-USD"
    first = np.arange(len(table)) < len(table) // 2
    found = by_product(table, {"first": first, "none": first & ~first})
    assert list(found) == ["BTC-USD", "BTC-USD, first", "ETH-USD", "ETH-USD, first"]
    for part, rows in found.items():
        assert set(table.product[rows]) == {part.split(", ")[0]}
    assert (found["BTC-USD"] ^ found["ETH-USD"]).all()

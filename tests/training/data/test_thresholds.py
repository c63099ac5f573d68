"""τ and thresholds, on small tables made by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from training.data.rows import Table
from training.data.thresholds import (
    episodes_of,
    learned_products,
    spikes_of,
    tau_of,
    threshold_of,
    thresholds_of,
)
from training.models.golden import golden_rows
from training.models.labelled_set import LabelledSet

SECOND = 1_000_000
MakeTable = Callable[..., Table]


def test_tau_is_each_products_own_percentile(market_table: MakeTable) -> None:
    """A tenth of each product's rows are spikes, whatever the others do."""
    one, two = market_table(), market_table(rows=300, product="ETH-USD")
    both = Table(*(np.concatenate([getattr(one, n), getattr(two, n)]) for n in Table.__slots__))
    tau = tau_of(both)
    assert tau == tau_of(one) | tau_of(two)
    spikes = spikes_of(both, tau)
    assert spikes[: len(one)].mean() == pytest.approx(0.1, abs=1e-3)
    assert spikes[len(one) :].mean() == pytest.approx(0.1, abs=1e-3)


def test_a_volatility_of_tau_is_a_spike(market_table: MakeTable) -> None:
    """The label is RV ≥ τ, equality included, and the excess is 0 there."""
    table = market_table()
    labelled = LabelledSet.of(table, {"BTC-USD": float(table.volatility[17])})
    assert labelled.spikes[17]
    assert labelled.excess[17] == 0.0
    assert ((labelled.excess >= 0) == labelled.spikes).all()


def test_as_many_alarms_as_spikes(market_table: MakeTable) -> None:
    """The threshold gives as many alarms as there were spikes in the same rows."""
    table = market_table()
    labelled = LabelledSet.of(table, tau_of(table))
    scores = table.column("realized_volatility_60s")
    threshold = thresholds_of(table, scores, labelled.spikes)["BTC-USD"]
    assert (scores >= threshold).sum() == labelled.spikes.sum()
    assert threshold_of(np.array([0.2, 0.4]), np.array([False, False])) == 0.4


def test_episodes_are_spikes_that_stand_apart() -> None:
    """Spikes whose horizons overlap are one event, seen again every second."""
    #  seconds   10 11 12 … 72 | 133 (61 later)
    seconds = np.array([1, 10, 11, 12, 72, 133, 500], dtype=np.int64)
    spikes = np.array([False, True, True, True, True, True, False])
    assert episodes_of(seconds * SECOND, spikes) == 2
    assert episodes_of(seconds * SECOND, np.zeros(7, dtype=np.bool_)) == 0


def test_a_product_of_one_group_is_not_learned_from(market_table: MakeTable) -> None:
    """A τ from a single hour is no lesson for the others; where all are so, all are used."""
    table = market_table((1e-4, 1e-4), rows=500)
    spikes = np.arange(1000) % 10 == 0
    assert learned_products(table, spikes, table.group) == ["BTC-USD"]
    table.product[500:] = "ETH-USD"
    assert learned_products(table, spikes, table.group) == ["BTC-USD", "ETH-USD"]
    quarters = (np.arange(1000) // 250).astype(np.intp)
    table.product[500:750] = "BTC-USD"
    assert learned_products(table, spikes, quarters) == ["BTC-USD"]


def test_golden_rows_are_of_all_kinds() -> None:
    """The rows by which a model is recognised have nulls at first and none later."""
    rows = golden_rows()
    assert rows == golden_rows()
    assert None in rows[0] and None in rows[1]
    assert None not in rows[-1]

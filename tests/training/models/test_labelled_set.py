"""Rows with their labels."""

from collections.abc import Callable

import numpy as np

from training.data.rows import Table
from training.models.labelled_set import LabelledSet


def test_excess_is_above_zero_where_a_spike_followed(market_table: Callable[..., Table]) -> None:
    """It is ln(RV/τ) of the row's product."""
    table = market_table(rows=100)
    tau = {"BTC-USD": float(np.median(table.volatility))}
    made = LabelledSet.of(table, tau)
    assert made.two_classes and len(made) == len(table)
    assert made.spikes.tolist() == (table.volatility >= tau["BTC-USD"]).tolist()
    np.testing.assert_allclose(np.exp(made.excess) * tau["BTC-USD"], table.volatility)
    assert (made.excess[made.spikes] >= 0).all() and (made.excess[~made.spikes] < 0).all()


def test_a_part_keeps_rows_and_labels_together(market_table: Callable[..., Table]) -> None:
    """Taken by the same positions; a part of one class knows that it is."""
    table = market_table(rows=100)
    made = LabelledSet.of(table, {"BTC-USD": float(np.median(table.volatility))})
    part = made.take(made.spikes)
    assert part.spikes.all() and not part.two_classes
    assert part.table.time_us.tolist() == table.time_us[made.spikes].tolist()
    assert part.excess.tolist() == made.excess[made.spikes].tolist()

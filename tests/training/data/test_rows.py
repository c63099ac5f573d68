"""Labelled rows: the last of each second, with what followed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from featurizer.features import NAMES
from ingestor.tick import Break, Event, Tick
from tests.training.batch.equal import by_columns
from tests.training.labeller import Labeller
from training.data.parquet import join_parts, read_usable, write_part

MakeTick = Callable[..., Tick]


def test_the_last_row_of_a_second_counts(tick: MakeTick) -> None:
    """One row per product and second is kept, its last."""
    stream = [tick(k + part, 100 + part) for k in range(3) for part in (0.1, 0.5, 0.9)]
    rows = list(Labeller().rows(stream))
    assert [r.row.time_us for r in rows] == [900_000, 1_900_000, 2_900_000]


def test_every_row_has_a_fate(tick: MakeTick, lost: Callable[[float], Break]) -> None:
    """Rows are usable, too early for full coverage, across a break, or unfinished; all counted."""
    stream: list[Event] = [*(tick(k) for k in range(500)), lost(600)]
    stream += [tick(600 + k) for k in range(30)]
    labeller = Labeller()
    rows = list(labeller.rows(stream))
    assert labeller.counts == {
        "events_accepted": 530,
        "events_break": 1,
        "rows_break": 60,
        "rows_unfinished": 30,
        "rows_usable": 141,
        "rows_warming": 299,
    }
    assert [r.row.second for r in rows if r.usable] == list(range(299, 440))


def test_a_table_is_in_order_of_time_and_keeps_nulls(tick: MakeTick, tmp_path: Path) -> None:
    """Captures are joined by time, unknown values are NaN and only usable rows are in it."""
    later, early, whole = (tmp_path / name for name in ("later", "early", "whole"))
    write_part(by_columns([tick(1000 + k) for k in range(400)]), later)
    write_part(by_columns([tick(k, product="ETH-USD") for k in range(400)]), early)
    join_parts([(later, 0, 0), (early, 1, 0)], b"{}", whole)
    table = read_usable(whole)
    assert len(table) == 80
    assert np.all(np.diff(table.time_us) > 0)
    assert table.capture.tolist() == [1] * 40 + [0] * 40
    assert table.group.tolist() == [0] * 80
    assert table.mid.tolist() == [100.0] * 80
    assert np.isnan(table.column("order_book_imbalance_60s")).all()
    assert not np.isnan(table.column(NAMES[0])).any()


def test_products_are_labelled_apart(tick: MakeTick) -> None:
    """Two products on one connection have a label each, of their own quotes."""
    stream = [
        tick(k, 100 if name == "A" or k < 310 else 100 + k, product=name)
        for k in range(400)
        for name in ("A", "B")
    ]
    rows = [r for r in Labeller().rows(stream) if r.usable and r.row.second == 300]
    volatility = {r.row.product_id: r.label.volatility for r in rows if r.label}
    assert volatility["A"] == 0.0
    assert volatility["B"] is not None and volatility["B"] > 0.0

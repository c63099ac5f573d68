"""Seconds of external tables: volatility and label as ours, silence kept or broken, no future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.engine import FeatureEngine
from featurizer.labels import MidLog
from featurizer.row import FeatureRow
from ingestor.tick import Tick
from training.external.seconds import (
    SECOND_COLUMNS,
    SecondSeries,
    log_return,
    series_of,
    series_rows,
    volatility,
    volatility_ahead,
)
from training.external.trailing import rolling_mean, weighted_mean

SECOND = 1_000_000


def walk(seconds: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return times in the middle of each second (microseconds) and mids that wander."""
    chance = np.random.default_rng(seed)
    mid = 100 * np.exp(np.cumsum(chance.normal(0, 1e-4, seconds)))
    return np.arange(seconds) * SECOND + SECOND // 2, mid


def test_volatility_and_label_are_those_of_features_and_labels() -> None:
    """On the same mids the series has what engine and label have."""
    time_us, mid = walk(500)
    series = series_of(time_us, mid, bridge=10, spread=2 / mid)
    engine, log, rows = FeatureEngine(), MidLog(), []
    for time, price in zip(time_us.tolist(), mid.tolist(), strict=True):
        tick = Tick(
            feed="f",
            product_id="BTC-USD",
            dialect="advanced",
            time_us=time,
            received_us=0,
            price=price,
            bid=price - 1,
            ask=price + 1,
        )
        log.update(tick)
        row = engine.update(tick)
        assert isinstance(row, FeatureRow)
        rows.append(row)
    for window, name in ((60, "60s"), (300, "300s")):
        ours = [row.features[f"realized_volatility_{name}"] for row in rows]
        moved = [row.features[f"log_return_{name}"] for row in rows]
        spread = [row.features[f"spread_mean_{name}"] for row in rows]
        found = volatility(series, window)
        known = ~np.isnan(found)  # from half of the window on; ours from a third on
        np.testing.assert_allclose(found[known], _floats(ours)[known], rtol=1e-9)
        np.testing.assert_allclose(
            log_return(series, window), _floats(moved), rtol=1e-9, atol=1e-15
        )
        np.testing.assert_allclose(rolling_mean(series.spread, window), _floats(spread), rtol=1e-9)
    labels = [log.label(row.time_us, row.mid) for row in rows]
    expected = _floats([label.volatility if label else None for label in labels])
    found = volatility_ahead(series)
    np.testing.assert_allclose(found[:439], expected[:439], rtol=1e-9)
    assert np.isnan(found[440:]).all()


def _floats(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values])


def test_a_quote_stands_through_a_short_silence_only() -> None:
    """Silence up to the bridge keeps the price; a longer one leaves seconds unknown, unjoined."""
    #  second   0  1  2  3  4  5  6  7  8  9 10 11
    #  tick     ×        ×                    ×  ×      bridge 3
    #  mid      1  1  1  2  –  –  –  –  –  –  3  4
    time_us = np.array([0, 3, 10, 11]) * SECOND
    series = series_of(time_us, np.array([1.0, 2.0, 3.0, 4.0]), bridge=3)
    np.testing.assert_array_equal(series.mid, [1, 1, 1, 2, *[np.nan] * 6, 3, 4])
    assert np.flatnonzero(~series.joined).tolist() == [10]
    assert series.ticks.tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1]


def test_no_label_crosses_a_break() -> None:
    """A row whose next 60 s hold a break has no label, and no row looks back over one."""
    time_us, mid = walk(1000)
    keep = np.r_[0:500, 530:1000]
    rows, counts = series_rows(series_of(time_us[keep], mid[keep], bridge=10))
    second = rows.time_us // SECOND - 1
    assert set(second.tolist()) == {*range(299, 440), *range(829, 940)}
    assert counts == {
        "seconds": 1000,
        "unknown": 30,
        "warming": 598,
        "unlabelled": 120,
        "usable": 252,
    }


@settings(max_examples=20, deadline=None)
@given(at=st.integers(310, 500))
def test_nothing_later_changes_a_column(at: int) -> None:
    """Columns of a second know it and those before; its label knows what follows."""
    time_us, mid = walk(600)
    other = mid.copy()
    other[at:] *= np.linspace(1, 1.1, 600 - at)
    one, two = (series_of(time_us, values, bridge=10, spread=1 / values) for values in (mid, other))
    for name, column in SECOND_COLUMNS.items():
        np.testing.assert_array_equal(column(one)[:at], column(two)[:at], err_msg=name)
    assert not np.array_equal(
        volatility_ahead(one)[at - 60 : at], volatility_ahead(two)[at - 60 : at]
    )


def test_the_last_of_a_second_counts() -> None:
    """Rows of one second are one slot, its last."""
    series: SecondSeries = series_of(np.array([0, 10, 20]), np.array([1.0, 2.0, 3.0]), bridge=10)
    assert series.mid.tolist() == [3.0]
    assert series.ticks.tolist() == [3.0]


def test_what_a_table_does_not_have_is_unknown() -> None:
    """Without sizes and spread their columns are NaN, never 0."""
    time_us, mid = walk(500)
    rows, _ = series_rows(series_of(time_us, mid, bridge=10))
    for name in ("log_spread_60s", "imbalance_60s"):
        assert np.isnan(rows.values[:, rows.columns.index(name)]).all()


@pytest.mark.parametrize("window", [1, 7])
def test_windows_are_means_of_the_known(window: int) -> None:
    """A mean is over the known, from half of them on."""
    values = np.array([1.0, np.nan, 3.0, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, 5.0])
    for at, found in enumerate(rolling_mean(values, window)):
        inside = values[max(0, at - window + 1) : at + 1]
        known = inside[~np.isnan(inside)]
        expected = known.mean() if len(known) >= window / 2 else np.nan
        np.testing.assert_equal(found, expected)


def test_a_weighted_mean_passes_over_what_is_not_known() -> None:
    """It stays while nothing comes, and what came before weighs less afterwards."""
    found = weighted_mean(np.array([np.nan, 1.0, np.nan, 4.0]), 0.5)
    assert found.tolist() == pytest.approx([np.nan, 1.0, 1.0, 3.4], nan_ok=True)

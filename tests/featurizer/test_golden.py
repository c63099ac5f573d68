"""The rows of real captures, against numbers that an independent program computed."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from featurizer.engine import FeatureEngine
from featurizer.features import NAMES, REQUIRED
from featurizer.row import FeatureRow
from ingestor.tick import Break, Event
from tests.featurizer.recorded import events_of
from tests.featurizer.slow import Accepted

pytestmark = pytest.mark.captures

FILES = {
    "adv_frames_btc": "adv_ticker_btc_20260405T2235_20min",
    "adv_flat_btc_no_sizes": "adv_flat_btc_20260404T2254_65min",
    "adv_flat_eth": "adv_flat_btc_eth_20260404T0319_11min",
    "exch_btc": "exch_ticker_btc_202511_4chunks",
}


def rows_by_product(events: list[Event]) -> dict[str, list[FeatureRow]]:
    """The rows of each product's ticks, in order of acceptance."""
    engine, rows = FeatureEngine(), defaultdict(list)
    for event in events:
        if (row := engine.update(event)) and not row.beat:
            rows[row.product_id].append(row)
    return rows


@pytest.mark.parametrize("name", FILES)
def test_rows_agree_with_golden_ones(name: str, captures: Path, golden: Path) -> None:
    """Every golden row is made, within 1e-12 relative, and what is unknown in it but volatility."""
    rows = rows_by_product(events_of(captures / f"{FILES[name]}.ndjson.gz"))
    lines = (golden / f"{name}.jsonl").read_text().splitlines()
    for wanted in map(json.loads, lines):
        row = rows[wanted["product_id"]][wanted["index"]]
        found = {**row.features, "coverage": row.coverage, "time_us": row.time_us}
        for key in (*REQUIRED, "coverage", "time_us"):
            if wanted[key] is None and key.startswith("realized_volatility"):
                continue  # known from 20 returns on now, and from half of the window on there
            if wanted[key] is None:
                assert found[key] is None, (wanted["index"], key)
            else:
                assert found[key] == pytest.approx(wanted[key], rel=1e-12, abs=0), key
    assert lines


def test_slow_recomputation_agrees_on_a_capture(captures: Path) -> None:
    """The definitions, computed slowly over two real products, give the engine's values."""
    events = events_of(captures / "adv_flat_btc_eth_20260404T0319_11min.ndjson.gz")
    engine, slow = FeatureEngine(), Accepted()
    for index, event in enumerate(events):
        row = engine.update(event)
        if slow.take(event) and index % 53 == 0:
            assert row is not None
            assert not isinstance(event, Break)
            for name, value in slow.row(event).items():
                found = {**row.features, "coverage": row.coverage, "returns": row.returns}[name]
                assert found == (None if value is None else pytest.approx(value, rel=1e-12)), name


def test_no_sizes_are_nulls(captures: Path) -> None:
    """A capture without sizes has null imbalance everywhere, never 0."""
    events = events_of(captures / "adv_flat_btc_20260406T1502_10min.ndjson.gz")
    rows = rows_by_product(events)["BTC-USD"]
    imbalances = {row.features[name] for row in rows for name in NAMES if "imbalance" in name}
    assert len(rows) == 3_578
    assert imbalances == {None}

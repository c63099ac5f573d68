"""Rows and labels by columns have the bits of the live engine, whatever a stream brings."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from ingestor.tick import Event, encode
from tests.conftest import SHARED
from tests.featurizer.market import beat, break_at, market, tick
from tests.featurizer.recorded import events_of
from tests.training.batch.equal import by_columns, of_columns, of_rows
from tests.training.batch.wild import wild
from tests.training.labeller import Labeller
from training.batch.keys import read_keys
from training.batch.labelled import labelled
from training.data.shards import ShardWriter

CAPTURES = sorted((SHARED / "data").glob("*.ndjson.gz"))
SECOND = 1_000_000


def same(events: list[Event]) -> None:
    """Compare all values of all rows, and what became of events and rows."""
    labeller, columns = Labeller(), by_columns(events)
    assert of_columns(columns) == of_rows(labeller.rows(events))
    assert columns.counts == labeller.counts


@pytest.mark.parametrize("seed", range(4))
def test_a_sparse_market(seed: int) -> None:
    """Silences, late ticks and Breaks of the market that the engine's laws are tried on."""
    same(market(seed, 3_000, products=("BTC-USD",), feeds=("f",)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("calm", [1.0, 0.98, 0.9, 0.6])
def test_a_wild_market(seed: int, calm: float) -> None:
    """Ties, holes of a minute, Beats amid a second, Breaks stamped before and ahead."""
    events = wild(seed, 2_000, calm)
    same(events)


def test_what_is_compared_is_not_all_alike() -> None:
    """Rows of every fate, and Breaks that tell labels early, are among those compared."""
    fates = Counter[str]()
    for calm in (1.0, 0.9):
        fates.update(by_columns(wild(0, 2_000, calm)).counts)
    rows = ("unfinished", "usable", "break", "coverage", "warming")
    events = ("accepted", "late", "repeated", "beat", "break")
    assert all(fates[f"rows_{name}"] > 10 for name in rows)
    assert all(fates[f"events_{name}"] > 10 for name in events)


def test_levels_of_its_own() -> None:
    """Hours, in which bins close and the level leaves the seed and rises."""
    events = wild(3, 9_000, 0.999)
    columns = by_columns(events)
    assert len(set(columns.tau_status.tolist())) > 1 and len(set(columns.tau.tolist())) > 4
    same(events)


@pytest.mark.parametrize(("seed", "length_s"), [(0, 302), (1, 700), (2, 1_500)])
def test_shards(seed: int, length_s: int, tmp_path: Path) -> None:
    """Cut anywhere, each shard by itself goes on where the product's state was."""
    events = wild(seed, 6_000, 0.97)
    writer = ShardWriter(tmp_path, length_us=length_s * SECOND)
    for event in events:
        writer.take(event, encode(event))
    found, counts, labeller = list[tuple[object, ...]](), Counter[str](), Labeller()
    for shard in writer.finish():
        rows = labelled(*read_keys(shard.path), (shard.start_us, shard.end_us), shard.state)
        found += of_columns(rows)
        counts.update(rows.counts)
    assert found == of_rows(labeller.rows(events))
    assert counts == labeller.counts


T = 1_700_000_000
SMALL = [
    [break_at(T * SECOND)],
    [break_at(T * SECOND), break_at(T * SECOND + 5)],
    [beat(T)],
    [break_at(T * SECOND), beat(T + 3)],
    [tick(T * SECOND), tick(T * SECOND)],
    [tick(T * SECOND, trade_id=5), tick(T * SECOND, trade_id=3)],
    [tick(T * SECOND), break_at(T * SECOND - 5)],
    [tick(T * SECOND), break_at((T + 100) * SECOND)],
]


@pytest.mark.parametrize("events", SMALL)
def test_a_stream_of_next_to_nothing(events: list[Event]) -> None:
    """Breaks alone, one Beat, the same tick twice."""
    same(events)


@pytest.mark.parametrize(
    ("events", "rows"),
    [
        ([tick((T + 10) * SECOND)], 0),
        ([break_at((T + 399) * SECOND)], 0),
        ([beat(T + 399)], 0),
        ([tick((T + 399) * SECOND + 7)], 1),
        ([tick((T + 399) * SECOND + 7), break_at((T + 399) * SECOND), tick((T + 400) * SECOND)], 2),
    ],
)
def test_next_to_nothing_after_much(events: list[Event], rows: int) -> None:
    """A shard may hold what is late alone, or go on in the second where its state stood."""
    engine = FeatureEngine(Levels(default_seeds()))
    for second in range(T, T + 400):
        engine.restore(tick(second * SECOND))
    state = engine.snapshot("BTC-USD")
    found = of_columns(by_columns(events, state))
    assert len(found) == rows
    assert found == of_rows(Labeller(state=state).rows(events))


def test_products_of_several() -> None:
    """Products that come by turns give the rows that each gives by itself."""
    events = market(5, 2_000, products=("A", "B", "C"), feeds=("f",))
    rows, own = [*Labeller().rows(events)], defaultdict[str, list[Event]](list)
    for event in events:
        own[event.product_id].append(event)
    for product, mine in own.items():
        wanted = of_rows(row for row in rows if row.row.product_id == product)
        assert of_columns(by_columns(mine)) == wanted


@pytest.mark.skipif(not CAPTURES, reason="no captures in ../shared/data")
def test_a_capture() -> None:
    """A recording of the exchange, product by product."""
    path = min((p for p in CAPTURES if "btc_eth" in p.name), key=lambda p: p.stat().st_size)
    own = defaultdict[str, list[Event]](list)
    for event in events_of(path):
        own[event.product_id].append(event)
    assert len(own) > 1
    for events in own.values():
        same(events)

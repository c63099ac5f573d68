"""Laws that every feature obeys, each written once."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.engine import FeatureEngine
from featurizer.features import FEATURES, NAMES, Feature
from featurizer.row import FeatureRow, encode
from featurizer.slots import Taken
from featurizer.statistic import Statistic
from ingestor.tick import Break, Event, Tick, decode
from ingestor.tick import encode as encode_event
from tests.featurizer.market import SECOND, market
from tests.featurizer.slow import rows as slow_rows

SEEDS = (1, 2, 3)
EVERY = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)


def stream(events: Iterable[Event]) -> list[FeatureRow]:
    """The rows of these events, from a fresh engine."""
    engine = FeatureEngine()
    return [row for event in events if (row := engine.update(event)) is not None]


def bits(rows: Iterable[FeatureRow], feature: Feature) -> list[str | None]:
    """One feature of these rows to the bit."""
    values = (row.features[feature.name] for row in rows)
    return [None if value is None else value.hex() for value in values]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """One sparse capture of two products and two feeds, each over an hour and a half."""
    return market(seed=7, steps=2_400)


@pytest.fixture(scope="module")
def rows(events: list[Event]) -> list[FeatureRow]:
    """Its rows."""
    return stream(events)


@pytest.fixture(scope="module")
def through_bytes(events: list[Event]) -> list[FeatureRow]:
    """The rows of the events as they come from a topic."""
    return stream(decode(encode_event(event)) for event in events)


@pytest.fixture(scope="module")
def by_product(events: list[Event]) -> list[FeatureRow]:
    """The rows of one product, then of the other."""
    return [
        row
        for product in ("BTC-USD", "ETH-USD")
        for row in stream(event for event in events if event.product_id == product)
    ]


@EVERY
def test_stream_equals_batch(
    feature: Feature,
    rows: list[FeatureRow],
    through_bytes: list[FeatureRow],
    by_product: list[FeatureRow],
) -> None:
    """One event at a time through topic bytes gives the bits that one pass gives."""
    assert bits(through_bytes, feature) == bits(rows, feature)
    assert bits(by_product, feature) == bits(sorted(rows, key=lambda row: row.product_id), feature)


@EVERY
def test_every_feature_is_sometimes_known(feature: Feature, rows: list[FeatureRow]) -> None:
    """The generated market exercises the feature: some rows have it, some have null."""
    values = [row.features[feature.name] for row in rows]
    assert None in values
    assert len({value for value in values if value is not None}) > 10


@pytest.fixture(scope="module")
def parts(events: list[Event]) -> list[list[FeatureRow]]:
    """The rows of the stream, ended at many places."""
    return [stream(events[:end]) for end in range(1, len(events), len(events) // 23)]


@EVERY
@pytest.mark.exhaustive
def test_nothing_later_changes_a_row(
    feature: Feature, rows: list[FeatureRow], parts: list[list[FeatureRow]]
) -> None:
    """The row at t is the same whether the stream ends there or goes on."""
    for part in parts:
        assert bits(part, feature) == bits(rows[: len(part)], feature)


@pytest.fixture(scope="module")
def doubled(events: list[Event]) -> list[FeatureRow]:
    """The rows of a stream with every Tick and Beat twice."""
    return stream(
        copy for event in events for copy in ([event] if isinstance(event, Break) else [event] * 2)
    )


@EVERY
def test_repeats_change_nothing(
    feature: Feature, rows: list[FeatureRow], doubled: list[FeatureRow]
) -> None:
    """Every Tick and Beat delivered twice gives the same rows."""
    assert bits(doubled, feature) == bits(rows, feature)


@pytest.fixture(scope="module")
def disturbed(events: list[Event]) -> list[FeatureRow]:
    """The rows of a stream with late ticks behind each Tick."""
    found: list[Event] = []
    for event in events:
        found.append(event)
        if isinstance(event, Tick):
            found += [late_of(event, 1), late_of(event, 7 * SECOND)]
    return stream(found)


@EVERY
def test_late_ticks_change_nothing(
    feature: Feature, rows: list[FeatureRow], disturbed: list[FeatureRow]
) -> None:
    """Ticks that come after a greater key, with another quote, are as if they had not come."""
    assert bits(disturbed, feature) == bits(rows, feature)


def late_of(tick: Tick, by_us: int) -> Tick:
    """The same Tick some time earlier, at double the price."""
    return Tick(
        feed=tick.feed,
        product_id=tick.product_id,
        dialect=tick.dialect,
        time_us=tick.time_us - by_us,
        received_us=tick.received_us,
        price=2 * tick.price,
        bid=2 * tick.bid,
        ask=2 * tick.ask,
        trade_id=tick.trade_id,
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.exhaustive
def test_slow_recomputation_agrees(seed: int) -> None:
    """Every feature of every row is within 1e-12 of its definition computed slowly."""
    events = market(seed, steps=700)
    assert_agree(stream(events), events)


def assert_agree(rows: list[FeatureRow], events: list[Event]) -> None:
    """Rows and the slow recomputation say the same; nulls exactly."""
    expected = slow_rows(events)
    assert [row.time_us for row in rows] == [event.time_us for event, _ in expected]
    for row, (_, slow) in zip(rows, expected, strict=True):
        found = {**row.features, "coverage": row.coverage, "returns": row.returns}
        for name, value in slow.items():
            assert agrees(found[name], value), (row.row_id, name)


def agrees(found: float | None, expected: float | None) -> bool:
    """Both null, or within 1e-12 relative; sums of cancelling terms within 1e-15."""
    if found is None or expected is None:
        return found is expected
    return found == pytest.approx(expected, rel=1e-12, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 400))
def test_any_market_obeys(seed: int, cut: int) -> None:
    """Whatever the market: stream equals batch, and what comes later changes no row."""
    events = market(seed, steps=200)
    whole, part = stream(events), stream(events[:cut])
    assert [encode(row) for row in part] == [encode(row) for row in whole[: len(part)]]
    for row in whole:
        assert list(row.features) == list(NAMES)
        assert 0 < row.coverage <= 1
        for name, value in row.features.items():
            assert value is None or lowest(name) <= value < float("inf")


def lowest(name: str) -> float:
    """The least value that a feature can have."""
    statistic = FEATURES[NAMES.index(name)].statistic
    if name.startswith("order_book_imbalance"):
        return -1.0
    return 0.0 if isinstance(statistic, Statistic) and not statistic.signed else float("-inf")


def test_two_runs_differ_by_feed_alone() -> None:
    """The same events under another feed give the same rows but for feed and row_id."""
    first = stream(market(seed=5, feeds=("a",)))
    again = stream(market(seed=5, feeds=("b",)))
    assert [row_without_feed(row) for row in first] == [row_without_feed(row) for row in again]


def row_without_feed(row: FeatureRow) -> tuple[object, ...]:
    """What two runs of one recording are compared by."""
    return row.row_id.removeprefix(row.feed), msgspec.structs.replace(row, row_id="", feed="")


def test_counts_say_what_became_of_events(events: list[Event], rows: list[FeatureRow]) -> None:
    """Accepted ticks are rows, and the market has late, repeated, Beats and Breaks as well."""
    engine = FeatureEngine()
    for event in events:
        engine.update(event)
    assert engine.counts[Taken.ACCEPTED] == sum(not row.beat for row in rows)
    assert any(row.beat for row in rows)
    assert all(engine.counts[taken] > 5 for taken in Taken)
    assert engine.counts.total() == len(events)

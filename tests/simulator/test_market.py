"""The generated market, as everyone's generated data."""

import json
from collections import Counter, defaultdict
from itertools import islice
from typing import Any

import pytest

from ingestor.continuity import events
from ingestor.instant import SECOND_US, instant
from ingestor.recordings.recording import Frame
from ingestor.tick import Break
from simulator.faults import Faults, Regime
from simulator.market import Stock, frames
from simulator.moods import WILD

START = 1_704_067_200_000_000
PRODUCTS = ("BTC-USD", "ETH-USD", "MADE-UP")


def market(seconds: int = 120, seed: int = 7, products: tuple[str, ...] = PRODUCTS) -> list[Frame]:
    """A short market."""
    return list(frames(seed, products, START, seconds))


def items(made: list[Frame], channel: str, key: str) -> list[tuple[int, dict[str, Any]]]:
    """All tickers or trades with the time of their frame."""
    found = ((f.time_us, json.loads(f.data)) for f in made)
    return [
        (at, item)
        for at, frame in found
        if frame["channel"] == channel
        for event in frame["events"]
        for item in event[key]
    ]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A market is made of its seed, products and start alone."""
    assert market() == market()
    assert market(seed=8) != market()


def test_a_further_product_changes_none_of_the_others() -> None:
    """Each product has a random stream of its own."""
    alone = items(market(products=("BTC-USD",)), "ticker", "tickers")
    among = items(market(), "ticker", "tickers")
    assert [t for _, t in alone] == [t for _, t in among if t["product_id"] == "BTC-USD"]


def test_the_market_has_no_end_unless_told() -> None:
    """Without a number of seconds, frames go on."""
    assert len(list(islice(frames(7, PRODUCTS, START), 5_000))) == 5_000


def test_frames_are_in_order_and_numbered_without_a_hole() -> None:
    """Event time never runs back, and numbers count every frame of every channel."""
    made = market()
    assert [f.time_us for f in made] == sorted(f.time_us for f in made)
    assert [json.loads(f.data)["sequence_num"] for f in made] == list(range(len(made)))
    assert all(instant(json.loads(f.data)["timestamp"])[0] == f.time_us for f in made)


def test_quotes_are_sound() -> None:
    """Bid below ask, prices and sizes above zero, all as strings."""
    for _, ticker in items(market(), "ticker", "tickers"):
        assert 0 < float(ticker["best_bid"]) < float(ticker["best_ask"])
        assert float(ticker["best_bid_quantity"]) > 0 < float(ticker["best_ask_quantity"])
        assert all(isinstance(value, str) for value in ticker.values())


def test_the_ticker_is_conflated_to_ten_a_second() -> None:
    """No product has more than ten tickers in one second, and some seconds have none."""
    made = items(market(seconds=600), "ticker", "tickers")
    a_second = Counter((t["product_id"], at // 1_000_000) for at, t in made)
    assert max(a_second.values()) <= 10
    assert len(a_second) < 600 * len(PRODUCTS)


def test_trade_ids_are_consecutive_by_product() -> None:
    """Each trade's id is one more than the one before, and no trade is from the future."""
    ids = defaultdict(list)
    for at, trade in items(market(), "market_trades", "trades"):
        ids[trade["product_id"]].append(int(trade["trade_id"]))
        assert instant(trade["time"])[0] <= at
    for found in ids.values():
        assert found == list(range(found[0], found[0] + len(found)))
    assert set(ids) == set(PRODUCTS)


def test_there_is_a_heartbeat_in_every_second() -> None:
    """Heartbeats come once a second, with a counter that counts them."""
    beats = [json.loads(f.data) for f in market() if b'"heartbeats"' in f.data]
    assert [beat["events"][0]["heartbeat_counter"] for beat in beats] == list(range(1, 121))


def test_calm_and_wild_times_both_happen() -> None:
    """Within an hour the largest minute's range of mid is many times the smallest."""
    mids = defaultdict(list)
    for at, t in items(market(3_600, products=("BTC-USD",)), "ticker", "tickers"):
        mids[at // 60_000_000].append(float(t["best_bid"]) + float(t["best_ask"]))
    ranges = sorted((max(m) - min(m)) / max(m) for m in mids.values())
    assert ranges[-1] > 10 * ranges[0] > 0


def test_a_reader_sees_no_break_but_the_start() -> None:
    """The market is continuous: one Break per product, at its beginning."""
    breaks = [e for e in events(market(), "f") if isinstance(e, Break)]
    assert sorted(e.product_id for e in breaks) == sorted(PRODUCTS)
    assert {e.reason for e in breaks} == {"start"}


def test_a_wandering_market_has_the_same_form_and_prices_of_its_own() -> None:
    """It is as deterministic, has the channels of the other, and no break in it."""
    made = list(frames(7, PRODUCTS, START, 120, volatility="wandering"))
    assert made == list(frames(7, PRODUCTS, START, 120, volatility="wandering"))
    assert made != market()
    breaks = [e for e in events(made, "f") if isinstance(e, Break)]
    assert sorted(e.product_id for e in breaks) == sorted(PRODUCTS)
    assert items(made, "ticker", "tickers") and items(made, "market_trades", "trades")


def test_a_wandering_product_that_is_quiet_has_no_trades_either() -> None:
    """Trades without their ticker for ten seconds would be a stall, which no exchange means."""
    stock = Stock.of(7, "BTC-USD", START, volatility="wandering")
    stock.quiet = 5
    happened = [each for s in range(4) for each in stock.second(START + s * SECOND_US)]
    assert happened == []
    stock.quiet = 0
    happened = [each for s in range(4, 20) for each in stock.second(START + s * SECOND_US)]
    assert {channel for _, channel, _ in happened} == {"ticker", "market_trades"}


def test_a_mood_that_is_held_stands_in_the_prices() -> None:
    """Ten minutes of a wild market range over many times what those of a calm one do."""
    ranges = {}
    for mood in ("calm", "wild"):
        made = items(
            list(frames(7, ("BTC-USD",), START, 600, volatility=mood)), "ticker", "tickers"
        )
        bids = [float(ticker["best_bid"]) for _, ticker in made]
        ranges[mood] = max(bids) / min(bids) - 1
    assert ranges["wild"] > 2.5 * ranges["calm"] > 0


def test_a_market_crashes_and_stays_in_a_mood_on_demand() -> None:
    """Of the product that is named; without it the same bytes come."""
    faults = Faults()
    faults.begin(Regime(mood="wild", seconds=60.0, product_id="BTC-USD"))
    stocks = {name: Stock.of(7, name, START) for name in ("BTC-USD", "ETH-USD")}
    for stock in stocks.values():
        stock.faults = faults
    before = stocks["BTC-USD"].mid
    faults.crash("BTC-USD", 20.0)
    for second in range(5):
        for stock in stocks.values():
            list(stock.second(START + second * SECOND_US))
    assert stocks["BTC-USD"].mood is WILD and stocks["ETH-USD"].mood is not WILD
    assert stocks["BTC-USD"].mid == pytest.approx(0.8 * before, rel=0.01)
    plain = [frame.data for frame in frames(7, ["BTC-USD"], START, 20)]
    assert plain == [f.data for f in frames(7, ["BTC-USD"], START, 20, faults=Faults())]

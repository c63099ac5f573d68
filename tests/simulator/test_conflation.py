"""A market's past in few frames."""

import json
from collections.abc import Iterable, Iterator

from ingestor.continuity import events
from ingestor.instant import SECOND_US
from ingestor.recordings.recording import Frame
from ingestor.tick import Break, Tick
from simulator.conflation import Happening, conflated
from simulator.market import frames

START = 1_704_067_200_000_000
PRODUCTS = ("BTC-USD", "ETH-USD")
PAST, SECONDS = 300, 360


def ticker(at: int, product: str, price: str) -> Happening:
    """A ticker of one product."""
    return at, "ticker", {"type": "update", "tickers": [{"product_id": product, "price": price}]}


def trades(at: int, product: str, *numbers: int) -> Happening:
    """A batch of trades of one product."""
    made = [{"product_id": product, "trade_id": str(number)} for number in numbers]
    return at, "market_trades", {"type": "update", "trades": made}


def test_the_last_ticker_and_all_trades_of_a_product_stay() -> None:
    """In the order of what came last; a heartbeat is as it was."""
    beat: Happening = (2, "heartbeats", {"counter": 1})
    second = [
        ticker(1, "A", "1"),
        beat,
        trades(3, "A", 7),
        ticker(4, "B", "5"),
        ticker(5, "A", "2"),
    ]
    assert conflated([*second, trades(6, "A", 8, 9)]) == [
        beat,
        ticker(4, "B", "5"),
        ticker(5, "A", "2"),
        trades(6, "A", 7, 8, 9),
    ]


def market(past: int) -> list[Frame]:
    """Six minutes of a market."""
    return list(frames(7, PRODUCTS, START, SECONDS, past=past))


def closes(made: Iterable[Frame]) -> dict[tuple[str, int], float]:
    """The last middle of the quote in each second."""
    found = (event for event in events(made, "f") if isinstance(event, Tick))
    return {(e.product_id, e.time_us // SECOND_US): (e.bid + e.ask) / 2 for e in found}


def counted(made: Iterable[Frame]) -> Iterator[str]:
    """The numbers of all trades, in order."""
    for frame in made:
        envelope = json.loads(frame.data)
        if envelope["channel"] == "market_trades":
            yield from (t["trade_id"] for e in envelope["events"] for t in e["trades"])


def test_the_past_has_few_frames_and_every_second_as_it_was() -> None:
    """Quotes at the end of seconds and trades are the same, so the level is."""
    every, few = market(0), market(PAST)
    assert len(few) < len(every) / 1.5
    assert closes(few) == closes(every)
    assert sorted(counted(few)) == sorted(counted(every))


def test_the_market_goes_on_as_if_every_frame_had_been_sent() -> None:
    """From the seam on, all but the number in the sequence is equal, and nothing is missing."""
    since_us = START + PAST * SECOND_US
    tails = [
        [
            (frame.time_us, json.loads(frame.data)["events"])
            for frame in made
            if frame.time_us >= since_us
        ]
        for made in (market(0), market(PAST))
    ]
    assert tails[0] == tails[1] and len(tails[0]) > 100
    broken = [e.reason for e in events(market(PAST), "f") if isinstance(e, Break)]
    assert broken == ["start", "start"]

"""Hand-made frames of Advanced Trade, numbered as one connection numbers them, and a picture."""

from collections.abc import Iterable

import msgspec

from ingestor.advanced import parse
from ingestor.continuity import Connection
from ingestor.instant import text_of
from ingestor.tick import Beat, Event, Tick

BASE = 1_775_428_500
"""Second 0 of the pictures, 2026-04-05T22:35:00Z."""
SECOND = 1_000_000
BTC, ETH = "BTC-USD", "ETH-USD"


def us(at: float) -> int:
    """Return the epoch microseconds of a time in a picture."""
    return BASE * SECOND + round(at * SECOND)


class Wire:
    """Makes the frames of one connection; ``lose`` skips numbers, as a lost frame would."""

    def __init__(self) -> None:
        self.number = -1

    def lose(self, count: int = 1) -> None:
        self.number += count

    def frame(self, channel: str, at: float, *events: object) -> bytes:
        self.number += 1
        envelope = {
            "channel": channel,
            "timestamp": text_of(us(at)),
            "sequence_num": self.number,
            "events": events,
        }
        return msgspec.json.encode(envelope)

    def ticker(self, at: float, *products: str, bid: float = 100.0, ask: float = 101.0) -> bytes:
        named = products or (BTC,)
        return self.frame("ticker", at, {"tickers": [ticker(p, bid, ask) for p in named]})

    def heartbeat(self, at: float) -> bytes:
        return self.frame("heartbeats", at, {"current_time": "…", "heartbeat_counter": 7})

    def trades(self, at: float, *ids: int, product: str = BTC, kind: str = "update") -> bytes:
        trades = [{"trade_id": str(i), "product_id": product} for i in ids]
        return self.frame("market_trades", at, {"type": kind, "trades": trades})


def ticker(product: str, bid: float, ask: float) -> dict[str, str]:
    """Return one ticker as it stands in a frame; the sizes are 2 and 1."""
    return {
        "product_id": product,
        "price": str(bid),
        "best_bid": str(bid),
        "best_ask": str(ask),
        "best_bid_quantity": "2",
        "best_ask_quantity": "1",
    }


def take(
    frames: Iterable[bytes], *products: str, connection: Connection | None = None
) -> list[Event]:
    """Feed frames to a connection; gives all events."""
    connection = connection or Connection("feed", products or (BTC,))
    now = us(1000)
    return [event for frame in frames for event in connection.take(parse(frame, now), now)]


def picture(events: Iterable[Event], product: str = BTC) -> str:
    """Draw a product's events: ``!start@0.2 T0.2 b1 b2 T3.5`` (Break, Tick, Beats of seconds)."""
    return " ".join(_drawn(event) for event in events if event.product_id == product)


def _drawn(event: Event) -> str:
    at = (event.time_us - BASE * SECOND) / SECOND
    if isinstance(event, Tick):
        return f"T{at:g}"
    if isinstance(event, Beat):
        return f"b{at // 1:g}"
    missing = "" if event.missing is None else f"({event.missing})"
    return f"!{event.reason}{missing}@{at:g}"

"""A market's past in few frames: of each second and product the last ticker and all trades.

Of a second whatever reads quotes keeps the last one, so that returns, and the level made of
them, are those of every ticker.
"""

from collections.abc import Iterable
from typing import Any

Happening = tuple[int, str, dict[str, Any]]
"""Time (epoch microseconds), channel, and one event of the frame."""


def conflated(second: Iterable[Happening]) -> list[Happening]:
    """Return what happened in a second with one frame for each product and channel.

    It stands where the last one stood. Heartbeats stay.

    >>> said = {"type": "update", "tickers": [{"product_id": "BTC-USD", "price": "1"}]}
    >>> [at for at, _, _ in conflated([(5, "ticker", said), (8, "ticker", said)])]
    [8]
    """
    found: dict[tuple[str, str], Happening] = {}
    for time_us, channel, event in second:
        key = channel, _product(event)
        before = found.pop(key, None)
        if before is not None and channel == "market_trades":
            event = {**event, "trades": [*before[2]["trades"], *event["trades"]]}
        found[key] = time_us, channel, event
    return list(found.values())


def _product(event: dict[str, Any]) -> str:
    items = event.get("tickers") or event.get("trades") or [{}]
    return str(items[0].get("product_id", ""))

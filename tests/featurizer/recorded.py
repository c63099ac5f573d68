"""The captures' ticks as events, read as simply as can be; the ingestor has its own reading."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingestor.tick import Beat, Break, Event, Tick

SECOND = 1_000_000
SILENCE = 10 * SECOND
Fields = dict[str, Any]


def events_of(path: Path) -> list[Event]:
    """Ticks with Beats in the silences of a living feed and Breaks in all others."""
    return list(_with_silences(map(_tick, _tickers(path))))


def _tickers(path: Path) -> Iterator[tuple[str, Fields]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            found: Fields = json.loads(line)
            if "raw" in found and "pair" in found:  # Exchange
                found = json.loads(found["raw"])
                if found["type"] == "ticker":
                    yield found["time"], found
                continue
            found = found.get("payload", found)
            if found.get("channel", "ticker") != "ticker":
                continue
            time = found.get("timestamp") or found["ws_timestamp"]
            yield time, found["events"][0]["tickers"][0] if "events" in found else found


def _tick(timed: tuple[str, Fields]) -> Tick:
    time, found = timed
    whole, _, digits = time.rstrip("Z").partition(".")
    time_us = int(datetime.fromisoformat(whole + "+00:00").timestamp()) * SECOND
    time_us += int(digits[:6].ljust(6, "0"))
    sizes = {
        f"{side}_size": next((float(found[key]) for key in _names(side) if key in found), None)
        for side in ("bid", "ask")
    }
    return Tick(
        feed="capture",
        product_id=found["product_id"],
        dialect="exchange" if "trade_id" in found else "advanced",
        time_us=time_us,
        received_us=time_us,
        price=float(found["price"]),
        bid=float(found["best_bid"]),
        ask=float(found["best_ask"]),
        trade_id=found.get("trade_id"),
        **sizes,
    )


def _names(side: str) -> tuple[str, ...]:
    return (f"best_{side}_size", f"best_{side}_quantity", f"best_{side}_qty")


@dataclass
class _Silences:
    """The last Tick of each product and of all."""

    last: dict[str, Tick]
    latest_us: int

    def before(self, tick: Tick) -> Iterator[Event]:
        previous = self.last.get(tick.product_id)
        if previous is None:
            return
        bridged = tick.trade_id is not None and tick.trade_id == (previous.trade_id or 0) + 1
        if tick.time_us - self.latest_us > SILENCE and not bridged:
            yield Break(reason="silent", time_us=tick.time_us, **_named(tick))
            return
        for second in range(previous.time_us // SECOND + 1, tick.time_us // SECOND):
            yield Beat(
                time_us=second * SECOND + SECOND - 1,
                bid=previous.bid,
                ask=previous.ask,
                bid_size=previous.bid_size,
                ask_size=previous.ask_size,
                **_named(tick),
            )


def _with_silences(ticks: Iterator[Tick]) -> Iterator[Event]:
    silences = _Silences({}, 0)
    for tick in ticks:
        yield from silences.before(tick)
        yield tick
        silences.last[tick.product_id] = tick
        silences.latest_us = tick.time_us


def _named(tick: Tick) -> Fields:
    return {
        "feed": tick.feed,
        "product_id": tick.product_id,
        "dialect": tick.dialect,
        "received_us": tick.received_us,
    }

"""The forms in which Advanced Trade was captured, line by line, and the frame each stands for.

A line is a frame, a frame wrapped as ``{"ingest_time", "product_id", "payload"}``,
or one ticker flattened with keys of its author's own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from ingestor.instant import instant

CHANNELS: Final = ("ticker", "market_trades", "heartbeats")
"""What is read; acks, errors and other channels are left out."""

_TICKER_KEYS: Final = (
    "price",
    "volume_24_h",
    "low_24_h",
    "high_24_h",
    "low_52_w",
    "high_52_w",
    "price_percent_chg_24_h",
    "best_bid",
    "best_ask",
    "best_bid_quantity",
    "best_ask_quantity",
)
_OTHER_NAMES: Final = {
    "volume_24h": "volume_24_h",
    "low_24h": "low_24_h",
    "high_24h": "high_24_h",
    "price_pct_chg_24h": "price_percent_chg_24_h",
    "best_bid_qty": "best_bid_quantity",
    "best_ask_qty": "best_ask_quantity",
}


class RecordingError(Exception):
    """A recording cannot be read; the message says where, what was found and what expected."""


class Envelope(msgspec.Struct):
    """What every frame has: ``{"channel", "timestamp", "sequence_num", "events"}``.

    ``sequence_num`` is -1 where the line had none.
    """

    channel: str
    timestamp: str
    sequence_num: int = -1
    events: msgspec.Raw = msgspec.Raw(b"[]")


class Ticker(msgspec.Struct):
    """The fields of a ticker without which it says nothing, and its sizes."""

    product_id: str
    price: str
    best_bid: str
    best_ask: str
    best_bid_quantity: str | None = None
    best_ask_quantity: str | None = None

    @property
    def sized(self) -> bool:
        """True if both sizes are known."""
        return self.best_bid_quantity is not None and self.best_ask_quantity is not None


class TickerEvent(msgspec.Struct):
    """One entry of ``events`` on the channel ``ticker``."""

    tickers: list[Ticker]


class Trade(msgspec.Struct):
    """The fields of a trade by which loss is seen."""

    product_id: str
    trade_id: str


class TradesEvent(msgspec.Struct):
    """One entry of ``events`` on the channel ``market_trades``."""

    trades: list[Trade]
    type: str = "update"


@dataclass(frozen=True, slots=True)
class Entry:
    """One frame of a recording, read far enough to know what it shows.

    ``time_us`` is the frame's own (epoch microseconds).
    ``lost`` is how many numbers of the connection are missing before it.
    ``restarted`` says that it begins another connection.
    """

    time_us: int
    envelope: Envelope
    tickers: tuple[Ticker, ...] = ()
    trades: tuple[TradesEvent, ...] = ()
    lost: int = 0
    restarted: bool = False


def parse(lines: Iterable[bytes], name: str) -> Iterator[Entry]:
    """Read the lines of a recording; ``name`` stands in errors.

    Raises:
        RecordingError: names the line, what was found and what was expected.
    """
    count = _Count()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            envelope = _envelope(msgspec.json.decode(line))
            if envelope is None:
                continue
            lost, restarted = count.take(envelope)
            if envelope.channel in CHANNELS:
                yield replace(_entry(envelope), lost=lost, restarted=restarted)
        except (msgspec.DecodeError, ValueError) as exc:
            found = line[:120].decode(errors="replace").rstrip()
            raise RecordingError(
                f"{name}, line {number}: {exc}; found {found!r}, "
                "expected one frame or ticker of Advanced Trade as a JSON object"
            ) from exc


@dataclass(slots=True)
class _Count:
    """Follows the connection's own numbers over all lines, those left out included."""

    before: int = -1
    lost: int = 0
    restarted: bool = False

    def take(self, envelope: Envelope) -> tuple[int, bool]:
        """Return what was lost, and whether a connection began, since the last frame read."""
        number, before = envelope.sequence_num, self.before
        if number >= 0 and before >= 0:
            self.lost += max(number - before - 1, 0)
            self.restarted |= number <= before
        self.before = number
        answer = self.lost, self.restarted
        if envelope.channel in CHANNELS:
            self.lost, self.restarted = 0, False
        return answer


def _envelope(line: Any) -> Envelope | None:
    """Return the frame a line stands for, or None for an error frame, which carries no market.

    Raises:
        ValueError: the line has none of the known forms.
    """
    if isinstance(line, dict) and "payload" in line:
        line = line["payload"]
    if not isinstance(line, dict):
        raise ValueError("not an object")
    if "channel" in line:
        return _frame(line)
    if "best_bid" in line and ("timestamp" in line or "ws_timestamp" in line):
        return _flattened(line)
    if line.get("type") == "error":
        return None
    if isinstance(line.get("raw"), str) or "type" in line:
        raise ValueError("this is the Exchange dialect, which is not readable here yet")
    raise ValueError("neither a frame, a wrapped frame nor a flattened ticker")


def _frame(line: dict[str, Any]) -> Envelope:
    if not isinstance(line.get("events"), list):
        raise ValueError("the frame has no list of events")
    events = msgspec.Raw(msgspec.json.encode(line["events"]))
    return msgspec.convert({**line, "events": events}, Envelope)


def _flattened(line: dict[str, Any]) -> Envelope:
    """Make the frame that was flattened; what the line lacks stays missing.

    A line of the commonest form::

        {"product_id": "BTC-USD", "price": "67377.24", "best_bid": "67377.23",
         "best_ask": "67377.24", "timestamp": "2026-04-04T22:54:57.175677226Z"}
    """
    raw = line.get("raw")
    known = {_OTHER_NAMES.get(key, key): value for key, value in line.items()}
    known |= raw if isinstance(raw, dict) else {}
    ticker = {"type": "ticker", "product_id": known.get("product_id")}
    ticker |= {key: str(known[key]) for key in _TICKER_KEYS if known.get(key) is not None}
    event = {"type": line.get("event_type", "update"), "tickers": [ticker]}
    return Envelope(
        "ticker",
        str(line.get("ws_timestamp", line.get("timestamp"))),
        int(line.get("sequence_num", -1)),
        msgspec.Raw(msgspec.json.encode([event])),
    )


def _entry(envelope: Envelope) -> Entry:
    time_us, text = instant(envelope.timestamp)
    envelope = msgspec.structs.replace(envelope, timestamp=text)
    if envelope.channel == "ticker":
        events = msgspec.json.decode(envelope.events, type=list[TickerEvent])
        return Entry(time_us, envelope, tickers=tuple(t for event in events for t in event.tickers))
    if envelope.channel == "market_trades":
        trades = msgspec.json.decode(envelope.events, type=list[TradesEvent])
        return Entry(time_us, envelope, trades=tuple(trades))
    return Entry(time_us, envelope)

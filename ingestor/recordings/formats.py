"""The forms in which Advanced Trade was captured, line by line, and the frame each stands for.

A line is a frame, a frame wrapped as ``{"ingest_time", "product_id", "payload"}``, a frame after
the time at which it was received, or one ticker flattened with keys of its author's own.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from ingestor.instant import instant, time_text
from ingestor.recordings.lines import ForeignDialect

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


TIMES: Final = (
    "ws_timestamp",
    "timestamp",
    "time",
    "ts",
    "received_at",
    "ingest_time",
)
"""Where a line's time stands, the first that is there: the exchange's before the recorder's."""
_STAMPED: Final = re.compile(rb"\s*(\d[0-9T:.Z+-]*?):?\s+(?=\{)(.*)", re.DOTALL)
"""A line as tardis and others keep it: the time at which it was received, then the frame."""


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


UNUSABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
"""What reading a line raises where it cannot be used."""


def parse(lines: Iterable[bytes], refuse: Callable[[Exception], object]) -> Iterator[Entry]:
    """Read the lines of a recording; ``refuse`` is told why the last one cannot be used."""
    count = _Count()
    for line in lines:
        try:
            envelope = envelope_of(line)
            if envelope is None:
                continue
            entry = _entry(envelope) if envelope.channel in CHANNELS else None
        except UNUSABLE as exc:
            refuse(exc)
            continue
        lost, restarted = count.take(envelope)
        if entry is not None:
            yield replace(entry, lost=lost, restarted=restarted)


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


def envelope_of(line: bytes) -> Envelope | None:
    """Return the frame a line stands for; None for a blank line or an error, without a market.

    Raises:
        ForeignDialect: it is of the Exchange dialect.
        ValueError, msgspec.MsgspecError: the line has none of the known forms.
    """
    if not line.strip():
        return None
    stamped = _STAMPED.match(line)
    found = msgspec.json.decode(stamped[2] if stamped else line)
    return _envelope(found, {"received_at": stamped[1].decode()} if stamped else {})


def _envelope(line: Any, around: dict[str, Any]) -> Envelope | None:
    """Take the frame out; ``around`` has the times that were written beside it."""
    if isinstance(line, dict) and "payload" in line:
        payload = line["payload"]
        around = {**around, **{key: line[key] for key in TIMES if key in line}}
        line = msgspec.json.decode(payload) if isinstance(payload, str) else payload
    if not isinstance(line, dict):
        raise ValueError("not an object")
    if "channel" in line:
        return _frame(line, around)
    if line.get("type") == "error":
        return None
    if _is_exchange(line):
        raise ForeignDialect("this is the Exchange dialect, which is not readable here yet")
    if "best_bid" in line:
        return _flattened(line, around)
    raise ValueError("neither a frame, a wrapped frame nor a flattened ticker")


def _is_exchange(line: dict[str, Any]) -> bool:
    """Say whether the Exchange's own words stand in it; ``raw`` is a whole frame of it as text."""
    own = "sequence" in line or "trade_id" in line or "time" in line or "best_bid" not in line
    advanced = "timestamp" in line or "ws_timestamp" in line
    return isinstance(line.get("raw"), str) or ("type" in line and own and not advanced)


def _frame(line: dict[str, Any], around: dict[str, Any]) -> Envelope:
    if not isinstance(line.get("events"), list):
        raise ValueError("the frame has no list of events")
    events = msgspec.json.encode(line["events"])
    number = line.get("sequence_num", -1)
    known = {"events": msgspec.Raw(events), "timestamp": _time({**around, **line})}
    return msgspec.convert({**line, **known, "sequence_num": number}, Envelope, strict=False)


def _flattened(line: dict[str, Any], around: dict[str, Any]) -> Envelope:
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
        _time({**around, **line}),
        int(line.get("sequence_num", -1)),
        msgspec.Raw(msgspec.json.encode([event])),
    )


def _time(line: dict[str, Any]) -> str:
    """Return the best time a line has: the exchange's own before that of who received it."""
    for key in TIMES:
        if line.get(key) is not None:
            return time_text(line[key])
    raise ValueError(f"found no time, expected one of {', '.join(TIMES)}")


def _texts(events: bytes) -> bytes:
    """Write numbers as the exchange does, as text."""
    return msgspec.json.encode(_as_text(msgspec.json.decode(events)))


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return str(value) if isinstance(value, int | float) else value


def _entry(envelope: Envelope) -> Entry:
    time_us, text = instant(envelope.timestamp)
    envelope = msgspec.structs.replace(envelope, timestamp=text)
    if envelope.channel == "ticker":
        try:
            events = msgspec.json.decode(envelope.events, type=list[TickerEvent])
        except msgspec.ValidationError:
            envelope.events = msgspec.Raw(_texts(envelope.events))
            events = msgspec.json.decode(envelope.events, type=list[TickerEvent])
        return Entry(time_us, envelope, tickers=tuple(t for event in events for t in event.tickers))
    if envelope.channel == "market_trades":
        trades = msgspec.json.decode(envelope.events, type=list[TradesEvent])
        return Entry(time_us, envelope, trades=tuple(trades))
    return Entry(time_us, envelope)

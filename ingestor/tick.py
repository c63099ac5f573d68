"""Tick, Beat and Break: what the topic ``ticks`` holds, and its JSON.

The three stand in one order per product.
They are the only input of features and labels, live and in training alike.
"""

from typing import Final, Literal

import msgspec

from ingestor.plausibility import (
    LARGEST,
    LATEST_US,
    LONGEST_NAME,
    NUMBERS,
    SMALLEST_PRICE,
    WIDEST,
    check_number,
    check_price,
    check_product,
    check_quote,
    check_size,
    check_time,
)
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1

Dialect = Literal["advanced", "exchange"]
Side = Literal["buy", "sell"]
BreakReason = Literal["start", "reconnect", "sequence", "trade_id", "silent", "stalled"]

LIVE_FEED: Final = "coinbase"
"""The feed of the real exchange; a simulator names its own in the handshake."""
GENERATED_FEED: Final = "market-"
"""What the feeds of markets made up from a seed begin with; all others are recordings."""


class Tick(msgspec.Struct, frozen=True, tag_field="kind", tag="tick", kw_only=True):
    """One ticker message of the exchange.

    ``time_us`` is the exchange's, ``received_us`` ours (both epoch microseconds).
    ``side`` is the taker's. Sizes are in base currency, prices in quote currency.
    Advanced Trade's ticker has no ``trade_id``, ``size`` or ``side``.
    """

    feed: str
    product_id: str
    dialect: Dialect
    time_us: int
    received_us: int
    price: float
    bid: float
    ask: float
    bid_size: float | None = None
    ask_size: float | None = None
    size: float | None = None
    side: Side | None = None
    trade_id: int | None = None
    sequence: int | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def mid(self) -> float:
        """Middle of the quote; it carries all returns."""
        return (self.bid + self.ask) / 2


class Beat(msgspec.Struct, frozen=True, tag_field="kind", tag="beat", kw_only=True):
    """A second without a tick while the feed was alive, with the quote that still stands.

    ``time_us`` is the last microsecond of that second: a Tick of it that comes later is late.
    """

    feed: str
    product_id: str
    dialect: Dialect
    time_us: int
    received_us: int
    bid: float
    ask: float
    bid_size: float | None = None
    ask_size: float | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def mid(self) -> float:
        """Middle of the standing quote."""
        return (self.bid + self.ask) / 2


class Break(msgspec.Struct, frozen=True, tag_field="kind", tag="break", kw_only=True):
    """Continuity is lost here: no return may cross this point.

    ``missing`` is the number of trades known to be lost, where that is known.
    """

    feed: str
    product_id: str
    dialect: Dialect
    time_us: int
    received_us: int
    reason: BreakReason
    missing: int | None = None
    schema_version: int = SCHEMA_VERSION


Event = Tick | Beat | Break

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """Return the JSON of one event, as it stands in ``ticks``."""
    return _encoder.encode(event)


def decode(data: bytes) -> Event:
    """Read one event of ``ticks``; unknown fields are ignored.

    Raises:
        msgspec.DecodeError: not JSON, a field is missing or of a wrong type, of a schema not
            known here, or beyond the limits of ``ingestor.plausibility``;
            the message names the field (``msgspec.ValidationError`` is a subclass).
    """
    return read_message(_decoder, data, SCHEMA_VERSION, _check)


def _check(event: Event) -> None:
    if not (isinstance(event, Tick) and plausible(event)):
        check(event)


def plausible(tick: Tick) -> bool:
    """Say at once that a tick holds to all limits; ``check`` says which one another breaks."""
    bid, ask, size = tick.bid, tick.ask, tick.size
    bid_size, ask_size = tick.bid_size, tick.ask_size
    number, sequence = tick.trade_id, tick.sequence
    return (
        SMALLEST_PRICE <= bid <= ask <= LARGEST
        and ask <= WIDEST * bid
        and SMALLEST_PRICE <= tick.price <= LARGEST
        and (bid_size is None or 0 <= bid_size <= LARGEST)
        and (ask_size is None or 0 <= ask_size <= LARGEST)
        and (size is None or 0 <= size <= LARGEST)
        and 0 <= tick.time_us <= LATEST_US
        and 0 <= tick.received_us <= LATEST_US
        and (number is None or 0 <= number < NUMBERS)
        and (sequence is None or 0 <= sequence < NUMBERS)
        and 0 < len(tick.product_id) <= LONGEST_NAME
    )


def check(event: Event) -> None:
    """Raise ``ImplausibleError`` for the first value that cannot be meant."""
    check_product(event.product_id)
    check_time("time_us", event.time_us)
    check_time("received_us", event.received_us)
    if isinstance(event, Break):
        check_number("missing", event.missing)
        return
    check_quote(event.bid, event.ask)
    check_size("bid_size", event.bid_size)
    check_size("ask_size", event.ask_size)
    if isinstance(event, Tick):
        check_price("price", event.price)
        check_size("size", event.size)
        check_number("trade_id", event.trade_id)
        check_number("sequence", event.sequence)

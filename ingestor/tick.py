"""Tick, Beat and Break: what the topic ``ticks`` holds, and its JSON.

The three stand in one order per product.
They are the only input of features and labels, live and in training alike.
"""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec

from ingestor.plausibility import (
    WIDEST,
    Number,
    Price,
    Product,
    Size,
    Time,
    check_number,
    check_price,
    check_product,
    check_quote,
    check_size,
    check_time,
)
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1

Version = Annotated[int, msgspec.Meta(ge=1, le=SCHEMA_VERSION)]
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
    product_id: Product
    dialect: Dialect
    time_us: Time
    received_us: Time
    price: Price
    bid: Price
    ask: Price
    bid_size: Size | None = None
    ask_size: Size | None = None
    size: Size | None = None
    side: Side | None = None
    trade_id: Number | None = None
    sequence: Number | None = None
    schema_version: Version = SCHEMA_VERSION

    @property
    def mid(self) -> float:
        """Middle of the quote; it carries all returns."""
        return (self.bid + self.ask) / 2


class Beat(msgspec.Struct, frozen=True, tag_field="kind", tag="beat", kw_only=True):
    """A second without a tick while the feed was alive, with the quote that still stands.

    ``time_us`` is the last microsecond of that second: a Tick of it that comes later is late.
    """

    feed: str
    product_id: Product
    dialect: Dialect
    time_us: Time
    received_us: Time
    bid: Price
    ask: Price
    bid_size: Size | None = None
    ask_size: Size | None = None
    schema_version: Version = SCHEMA_VERSION

    @property
    def mid(self) -> float:
        """Middle of the standing quote."""
        return (self.bid + self.ask) / 2


class Break(msgspec.Struct, frozen=True, tag_field="kind", tag="break", kw_only=True):
    """Continuity is lost here: no return may cross this point.

    ``missing`` is the number of trades known to be lost, where that is known.
    """

    feed: str
    product_id: Product
    dialect: Dialect
    time_us: Time
    received_us: Time
    reason: BreakReason
    missing: Number | None = None
    schema_version: Version = SCHEMA_VERSION


Event = Tick | Beat | Break

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def _without_limits(kind: type[Event]) -> Any:
    """Return the kind of message that holds the same fields, whatever their values."""
    types = get_type_hints(kind)
    fields = ((f.name, types[f.name], f.default) for f in msgspec.structs.fields(kind))
    config = kind.__struct_config__
    return msgspec.defstruct(
        kind.__name__, fields, tag_field=config.tag_field, tag=config.tag, kw_only=True
    )


_KINDS: Final = {_without_limits(kind): kind for kind in (Tick, Beat, Break)}
_any_values: msgspec.json.Decoder[Any] = msgspec.json.Decoder(reduce(or_, _KINDS))


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
    try:
        event = _decoder.decode(data)
        if isinstance(event, Break) or event.bid <= event.ask <= WIDEST * event.bid:
            return event
    except (ValueError, RecursionError):  # a msgspec.DecodeError is a ValueError
        pass
    return _refused(data)


def _refused(data: bytes) -> Event:
    """Read once more what holds not to the limits, to say which one it breaks."""
    found = read_message(_any_values, data, SCHEMA_VERSION, lambda found: check(_event(found)))
    return _event(found)


def _event(found: Any) -> Event:
    return _KINDS[type(found)](**msgspec.structs.asdict(found))


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

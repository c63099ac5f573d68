"""The Advanced Trade dialect of Coinbase, sans-IO: subscriptions out; frames in → typed messages.

A frame looks like this (shortened); ``sequence_num`` counts every frame of a connection:

    {"channel":"ticker","timestamp":"2026-04-05T22:35:13.92532762Z","sequence_num":0,"events":
     [{"type":"snapshot","tickers":[{"product_id":"BTC-USD","price":"67468.26",
       "best_bid":"67468.26","best_ask":"67469.62","best_bid_quantity":"0.00275905",
       "best_ask_quantity":"0.17950856"}]}]}

Error frames have a ``type`` and neither channel, time nor number.
What cannot be used is a ``Problem`` in the message, never an exception.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from ingestor.instant import instant
from ingestor.plausibility import (
    ImplausibleError,
    check_number,
    check_price,
    check_product,
    check_quote,
    check_size,
    check_time,
)

DIALECT: Final = "advanced"
CHANNELS: Final = ("ticker", "heartbeats", "market_trades")
STATUS: Final = "status"
"""Tells which products trade; it carries nothing that rows are made of."""
_TIMED: Final = frozenset(CHANNELS)
# Deep nesting ends in a RecursionError.
_UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class Quote:
    """A ticker's last price and best quote, in quote currency; sizes in base currency."""

    product_id: str
    price: float
    bid: float
    ask: float
    bid_size: float | None = None
    ask_size: float | None = None


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade's number; numbers of one product step by one."""

    product_id: str
    trade_id: int


@dataclass(frozen=True, slots=True)
class Quotes:
    """The tickers of one frame; the channel is conflated, so they are not trades."""

    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Trades:
    """The trades of one frame in the order sent, which need not be that of their numbers."""

    trades: tuple[Trade, ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life, once a second; ``counter`` is the server's own."""

    counter: int | None


@dataclass(frozen=True, slots=True)
class Ack:
    """The full set of subscriptions: channel → products."""

    subscriptions: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server refused something that was asked of it."""

    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """What the exchange says of products: ``online``, or the word for why they do not trade."""

    products: dict[str, str]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A channel that is not used here, or a frame that could not be read."""

    channel: str | None


Content = Quotes | Trades | Heartbeat | Ack | ServerError | Status | Unknown


@dataclass(frozen=True, slots=True)
class Problem:
    """What was found and what was expected; ``product_id`` where it is known."""

    reason: str
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One frame as it was understood.

    ``time_us`` is the server's time (epoch microseconds) and ``sequence`` its number on
    the connection; both None where the frame has none that can be used. ``ahead_us`` is how far
    its time is ahead of our clock.
    """

    content: Content
    time_us: int | None = None
    sequence: int | None = None
    problems: tuple[Problem, ...] = ()
    ahead_us: int | None = None


class _Envelope(msgspec.Struct, frozen=True):
    channel: str | None = None
    timestamp: str | None = None
    sequence_num: int | None = None
    events: msgspec.Raw = msgspec.Raw(b"[]")
    type: str | None = None
    message: str | None = None


class _TickerEvent(msgspec.Struct, frozen=True):
    tickers: list[msgspec.Raw]


class _Ticker(msgspec.Struct, frozen=True):
    product_id: str
    price: float
    best_bid: float
    best_ask: float
    best_bid_quantity: float | str | None = None
    best_ask_quantity: float | str | None = None


class _Named(msgspec.Struct, frozen=True):
    product_id: str | None = None


class _TradeEvent(msgspec.Struct, frozen=True):
    trades: list[msgspec.Raw]


class _Trade(msgspec.Struct, frozen=True):
    product_id: str
    trade_id: int


class _HeartbeatEvent(msgspec.Struct, frozen=True):
    heartbeat_counter: int | None = None


class _AckEvent(msgspec.Struct, frozen=True):
    subscriptions: dict[str, list[str]]


class _Listed(msgspec.Struct, frozen=True):
    id: str
    status: str = "online"


class _StatusEvent(msgspec.Struct, frozen=True):
    products: list[_Listed] = []


_envelopes = msgspec.json.Decoder(_Envelope)
_ticker_events = msgspec.json.Decoder(list[_TickerEvent])
_trade_events = msgspec.json.Decoder(list[_TradeEvent])
_ack_events = msgspec.json.Decoder(list[_AckEvent])
_status_events = msgspec.json.Decoder(list[_StatusEvent])
_named = msgspec.json.Decoder(_Named)
# Numbers come as strings, and heartbeat_counter as either: these read both.
_tickers = msgspec.json.Decoder(_Ticker, strict=False)
_trades = msgspec.json.Decoder(_Trade, strict=False)
_heartbeat_events = msgspec.json.Decoder(list[_HeartbeatEvent], strict=False)


def subscriptions(products: Sequence[str], channels: Iterable[str] = CHANNELS) -> list[str]:
    """Return the messages that subscribe, one channel each; ``heartbeats`` has no products."""
    return [subscription(products, channel) for channel in channels]


def subscription(products: Sequence[str], channel: str) -> str:
    """Return the message that subscribes to one channel."""
    return _request("subscribe", products, channel)


def unsubscription(products: Sequence[str], channel: str) -> str:
    """Return the message that ends a subscription to one channel."""
    return _request("unsubscribe", products, channel)


def canonical(product_id: str) -> str:
    """Return the name that the exchange answers with: its USDC markets are its USD markets.

    >>> canonical("BTC-USDC")
    'BTC-USD'
    """
    return product_id[:-1] if product_id.endswith("-USDC") else product_id


def _request(kind: str, products: Sequence[str], channel: str) -> str:
    message: dict[str, object] = {"type": kind, "channel": channel}
    if channel != "heartbeats":
        message["product_ids"] = list(products)
    return msgspec.json.encode(message).decode()


def parse(data: bytes | str, received_us: int) -> Message:
    """Understand one frame; ``received_us`` (our clock) is only held against its time."""
    try:
        envelope = _envelopes.decode(data)
    except _UNREADABLE as exc:
        return Message(Unknown(None), problems=(Problem(f"frame: {exc}"),))
    try:
        check_number("sequence_num", envelope.sequence_num)
    except ImplausibleError as exc:
        problem = Problem(f"{envelope.channel or 'frame'}: {exc}")
        return Message(Unknown(envelope.channel), problems=(problem,))
    if envelope.channel is None:
        return _without_channel(envelope)
    try:
        time_us = _time(envelope)
        content, problems = _content(envelope)
    except _UNREADABLE as exc:
        problem = Problem(f"{envelope.channel}: {exc}")
        return Message(Unknown(envelope.channel), None, envelope.sequence_num, (problem,))
    ahead_us = None if time_us is None else time_us - received_us
    return Message(content, time_us, envelope.sequence_num, tuple(problems), ahead_us)


def _without_channel(envelope: _Envelope) -> Message:
    if envelope.type == "error":
        return Message(ServerError(envelope.message or ""), sequence=envelope.sequence_num)
    problem = Problem(f"frame: no channel and type {envelope.type!r} found, expected a channel")
    return Message(Unknown(None), None, envelope.sequence_num, (problem,))


def _time(envelope: _Envelope) -> int | None:
    if envelope.timestamp is None:
        if envelope.channel in _TIMED:
            raise ValueError("no timestamp found, expected one")
        return None
    time_us, _ = instant(envelope.timestamp)
    if time_us < 0:
        raise ValueError(f"timestamp {envelope.timestamp} found, expected one since 1970")
    check_time("timestamp", time_us)
    return time_us


def _content(envelope: _Envelope) -> tuple[Content, list[Problem]]:
    match envelope.channel:
        case "ticker":
            return _quotes(envelope.events)
        case "market_trades":
            return _market_trades(envelope.events)
        case "heartbeats":
            counters = [e.heartbeat_counter for e in _heartbeat_events.decode(envelope.events)]
            return Heartbeat(counters[-1] if counters else None), []
        case "subscriptions":
            events = _ack_events.decode(envelope.events)
            named = {k: tuple(v) for event in events for k, v in event.subscriptions.items()}
            return Ack(named), []
        case "status":
            listed = [p for event in _status_events.decode(envelope.events) for p in event.products]
            return Status({canonical(p.id): p.status for p in listed}), []
    return Unknown(envelope.channel), []


def _quotes(events: msgspec.Raw) -> tuple[Content, list[Problem]]:
    quotes: list[Quote] = []
    problems: list[Problem] = []
    for raw in (raw for event in _ticker_events.decode(events) for raw in event.tickers):
        try:
            quotes.append(_quote(_tickers.decode(raw)))
        except _UNREADABLE as exc:
            problems.append(Problem(f"ticker: {exc}", _product_of(raw)))
    return Quotes(tuple(quotes)), problems


def _quote(t: _Ticker) -> Quote:
    check_product(t.product_id)
    check_price("price", t.price)
    check_quote(t.best_bid, t.best_ask, ("best_bid", "best_ask"))
    sizes = (
        _size("best_bid_quantity", t.best_bid_quantity),
        _size("best_ask_quantity", t.best_ask_quantity),
    )
    return Quote(canonical(t.product_id), t.price, t.best_bid, t.best_ask, *sizes)


def _size(name: str, found: float | str | None) -> float | None:
    """Return a size; an empty one is not known."""
    size = float(found) if found not in (None, "") else None
    check_size(name, size)
    return size


def _market_trades(events: msgspec.Raw) -> tuple[Content, list[Problem]]:
    trades: list[Trade] = []
    problems: list[Problem] = []
    for raw in (raw for event in _trade_events.decode(events) for raw in event.trades):
        try:
            trade = _trades.decode(raw)
            check_product(trade.product_id)
            check_number("trade_id", trade.trade_id)
            trades.append(Trade(canonical(trade.product_id), trade.trade_id))
        except _UNREADABLE as exc:
            problems.append(Problem(f"market_trades: {exc}", _product_of(raw)))
    return Trades(tuple(trades)), problems


def _product_of(raw: msgspec.Raw) -> str | None:
    try:
        name = _named.decode(raw).product_id
    except _UNREADABLE:
        return None
    return canonical(name) if name and len(name) <= 64 else None

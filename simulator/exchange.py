"""Advanced Trade as the exchange speaks it, for one connection and without a socket.

Messages and published frames go in, what the connection is to be sent comes out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from ingestor.advanced import STATUS
from ingestor.instant import instant, text_of
from ingestor.recordings.formats import CHANNELS, Envelope
from simulator.faults import Faults
from simulator.tape import TapeItem

SUBSCRIBE_WITHIN_S: Final = 5.0
"""A connection that has asked for nothing by then is closed, as the exchange does."""
SNAPSHOTS: Final = ("ticker", "market_trades")
"""Channels that begin with what stands."""


class Request(msgspec.Struct):
    """What a client may send: one channel, and products where the channel has any.

    ``{"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "ticker"}``
    """

    type: Literal["subscribe", "unsubscribe"]
    channel: str
    product_ids: list[str] = []


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One text frame to send; ``products`` names each item of a ticker or of trades."""

    kind: str
    data: bytes
    products: tuple[str, ...] = ()


@dataclass(slots=True)
class ExchangeSession:
    """One connection: its subscriptions and its own ``sequence_num``.

    The number counts every frame with a channel, over all channels and products, acks included.
    ``offered`` is every product there is; ``shown`` the newest position already sent, by
    channel and product, so that a snapshot is not repeated when the clock comes to its frame.
    """

    offered: frozenset[str]
    faults: Faults = field(default_factory=Faults)
    subscriptions: dict[str, set[str]] = field(default_factory=dict)
    shown: dict[tuple[str, str], int] = field(default_factory=dict)
    asked: bool = False
    _number: int = 0

    @property
    def complete(self) -> bool:
        """True once both the ticker and the heartbeats are subscribed."""
        return {"ticker", "heartbeats"} <= self.subscriptions.keys()

    def receive(
        self, text: str | bytes, last: Mapping[tuple[str, str], TapeItem], now_us: int
    ) -> list[OutgoingMessage]:
        """Answer a client's message: snapshots and then the ack, or an error.

        ``last`` is what stands now, ``now_us`` the event time an ack carries.
        A snapshot keeps the time of the frame it repeats: whoever has seen that frame sees
        a repeat, whoever has missed it gets a true row; a new time would invent a tick.
        """
        try:
            request = msgspec.json.decode(text, type=Request)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            return [error(f"failed to parse message: {exc}")]
        refusal = self._refusal(request)
        if refusal:
            return [error(refusal)]
        if request.type == "unsubscribe":
            self._unsubscribe(request)
            return [self._ack(now_us)]
        self.asked = True
        return [*self._subscribe(request, last), self._ack(now_us)]

    def offer(self, published: TapeItem) -> OutgoingMessage | None:
        """Return the frame as this connection gets it, or None if it did not ask for it.

        Numbers that were lost before it on the tape are lost here too.
        """
        if published.lost and self.subscriptions:
            self._number += published.lost
        wanted = self.subscriptions.get(published.channel)
        if wanted is None or (not published.products and self.faults.mutes(published.channel)):
            return None
        if not published.products:
            return self._send(published, published.envelope.events)
        products = frozenset(p for p in published.products if self._wants(wanted, p, published))
        if not products:
            return None
        return self._show(published, products)

    def skip(self, count: int) -> None:
        """Lose so many numbers."""
        self._number += count

    def _refusal(self, request: Request) -> str | None:
        if request.channel not in (*CHANNELS, STATUS):
            return "authentication failure"
        if request.type == "unsubscribe":
            return None
        if self.faults.refuses(request.channel):
            return f"failed to subscribe: {request.channel} is not available"
        if request.channel == "heartbeats":
            return None
        if not request.product_ids:
            return "failed to subscribe: no product_ids"
        unknown = sorted({_as_listed(name) for name in request.product_ids} - self._listed)
        return f"failed to subscribe: {unknown[0]} is not a valid product" if unknown else None

    def _subscribe(
        self, request: Request, last: Mapping[tuple[str, str], TapeItem]
    ) -> Iterator[OutgoingMessage]:
        channel = request.channel
        if channel == "heartbeats":
            self.subscriptions[channel] = {"heartbeats"}
            return
        wanted = self.subscriptions.setdefault(channel, set())
        new = {_as_listed(name) for name in request.product_ids} - wanted
        wanted |= new
        said = (name for name in new if not self.faults.mutes(channel, name))
        known = [(last[channel, name], name) for name in said if (channel, name) in last]
        for published, name in sorted(known, key=lambda pair: pair[0].position):
            yield self._show(published, frozenset((name,)), "snapshot")

    def _unsubscribe(self, request: Request) -> None:
        wanted = self.subscriptions.get(request.channel, set())
        gone = {_as_listed(name) for name in request.product_ids} or set(wanted)
        if request.channel == "heartbeats" or not wanted - gone:
            self.subscriptions.pop(request.channel, None)
        else:
            self.subscriptions[request.channel] = wanted - gone

    def _wants(self, wanted: set[str], product: str, published: TapeItem) -> bool:
        shown = self.shown.get((published.channel, product), -1)
        is_new = product in wanted and shown < published.position
        return is_new and not self.faults.mutes(published.channel, product)

    @property
    def _listed(self) -> frozenset[str]:
        return self.offered - self.faults.delisted()

    def _show(
        self, published: TapeItem, products: frozenset[str], kind: str | None = None
    ) -> OutgoingMessage:
        for product in products:
            self.shown[published.channel, product] = published.position
        if kind is None and products.issuperset(published.products):
            return self._send(published, published.envelope.events)
        return self._send(published, published.only(products, kind), products)

    def _send(
        self, published: TapeItem, events: msgspec.Raw, only: frozenset[str] | None = None
    ) -> OutgoingMessage:
        products = tuple(p for p in published.products if only is None or p in only)
        stamp = published.envelope.timestamp
        return self._numbered(Envelope(published.channel, stamp, events=events), products)

    def _ack(self, now_us: int) -> OutgoingMessage:
        standing = {name: sorted(self.subscriptions[name]) for name in sorted(self.subscriptions)}
        events = msgspec.Raw(msgspec.json.encode([{"subscriptions": standing}]))
        return self._numbered(Envelope("subscriptions", text_of(now_us), events=events), ())

    def _numbered(self, envelope: Envelope, products: tuple[str, ...]) -> OutgoingMessage:
        if step_us := self.faults.clock_step_us():
            envelope.timestamp = text_of(instant(envelope.timestamp)[0] + step_us)
        envelope.sequence_num = self._number
        self._number += 1
        return OutgoingMessage(envelope.channel, msgspec.json.encode(envelope), products)


def error(message: str) -> OutgoingMessage:
    """Make an error as the exchange sends it: a ``type``, no ``channel``, no number.

    Only ``authentication failure`` is known word for word; the other wordings are ours.
    """
    return OutgoingMessage("error", msgspec.json.encode({"type": "error", "message": message}))


def _as_listed(product: str) -> str:
    """Return the product by which frames name it: ``-USDC`` ones come back as ``-USD``."""
    return product.removesuffix("C") if product.endswith("-USDC") else product

"""What becomes of each thing received: the records it brings, in the order to be sent."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import msgspec

from ingestor import dead_letter, ledger, tick
from ingestor.advanced import (
    CHANNELS,
    Ack,
    Content,
    Heartbeat,
    Message,
    Quotes,
    ServerError,
    Status,
    Trades,
    parse,
)
from ingestor.continuity import Connection
from ingestor.metrics import FRAME_KINDS, OTHER, Metrics
from ingestor.refusal import posted
from ingestor.skew import FeedClock, Timed
from ingestor.subscription import Subscriptions
from ingestor.tick import LIVE_FEED, Beat, Break, Event, Tick
from ingestor.topics import FEED_EVENTS, TICKS
from plumbing.kafka import Outgoing
from plumbing.logs import get_logger
from plumbing.tracing.trace import UNTRACED, Span, Tracer, headers_of


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened"):
    """A connection was made; ``ended`` says why the one before had ended, if there was one."""

    feed: str
    at_us: int
    ended: str | None = None


class Received(msgspec.Struct, frozen=True, array_like=True, tag="received"):
    """A frame came; ``at_us`` is our clock."""

    data: bytes
    at_us: int


class Silent(msgspec.Struct, frozen=True, array_like=True, tag="silent"):
    """No frame came for ``seconds`` of wall-clock time, or no connection for ``reason``."""

    at_us: int
    seconds: float
    reason: str = ""


Item = Opened | Received | Silent


class Intake:
    """Keeps the one connection's state from item to item."""

    def __init__(
        self,
        products: tuple[str, ...],
        metrics: Metrics,
        tracer: Tracer = UNTRACED,
        subscriptions: Subscriptions | None = None,
    ) -> None:
        self._products = products
        self._subscriptions = subscriptions or Subscriptions(products, CHANNELS)
        self._clock = FeedClock()
        self._metrics = metrics
        self._tracer = tracer
        self._ledger = ledger.Ledger()
        self._connection = Connection("", products)

    def records(self, item: Item) -> list[Outgoing]:
        """Take the next item; gives what is to be sent for it."""
        match item:
            case Opened():
                return self._opened(item)
            case Received():
                return self._received(item)
            case Silent():
                reason = item.reason or f"no frame for {item.seconds:g} s"
                return [self._ledger_line("silent", item.at_us, reason)]

    def close(self) -> list[Outgoing]:
        """Return the records of what still waits for another frame's word; none will come."""
        return [record for timed in self._clock.close() for record in self._taken(timed)]

    def _opened(self, opened: Opened) -> list[Outgoing]:
        """Start afresh; how far the products of this same feed have come is kept."""
        left = self.close()
        self._clock = FeedClock()
        same = opened.feed == self._connection.feed
        frontiers = self._connection.frontiers if same else None
        self._connection = Connection(opened.feed, self._products, frontiers)
        kind: ledger.Kind = "connected" if opened.ended is None else "reconnected"
        return [*left, self._ledger_line(kind, opened.at_us, opened.ended)]

    def _received(self, received: Received) -> list[Outgoing]:
        """Read a frame; one with a strange time waits for what the next one says."""
        message = parse(received.data, received.at_us)
        self._look_at(message)
        judged = self._clock.take(Timed(message, received.data, received.at_us))
        return [record for timed in judged for record in self._taken(timed)]

    def _taken(self, timed: Timed) -> list[Outgoing]:
        message, at_us = timed.message, timed.received_us
        records = [self._letter(p.reason, p.product_id, timed) for p in message.problems]
        events = self._connection.take(message, at_us)
        if events:
            records += self._events(events, at_us)
        told = self._subscriptions.take(message, at_us, self._connection.stalled)
        lines = [line for line in map(self._ledger.note, events) if line]
        return records + [_to_ledger(line) for line in lines + self._halts(told, at_us)]

    def _halts(self, products: Sequence[str], at_us: int) -> list[ledger.FeedEvent]:
        """Return the ledger's lines of products that are halted, or trade again."""
        lines = []
        for name in products:
            status = self._subscriptions.halt_of(name)
            kind: ledger.Kind = "halted" if status else "trading"
            get_logger().warning(f"feed.{kind}", product_id=name, status=status or "online")
            feed = self._connection.feed
            lines.append(
                ledger.FeedEvent(kind=kind, feed=feed, at_us=at_us, reason=status, product_id=name)
            )
        return lines

    def _events(self, events: Sequence[Event], received_us: int) -> list[Outgoing]:
        """All events of a frame belong to one trace; one without a tick comes to no prediction."""
        if not any(isinstance(event, Tick) for event in events):
            return [self._event(event, {}) for event in events]
        span = self._tracer.begin("ingest", kind="producer", start_us=received_us)
        span.tell("feed", self._connection.feed)
        headers = headers_of(span.traceparent)
        records = [self._event(event, headers) for event in events]
        told = partial(self._published, received_us, span)
        return [*records[:-1], replace(records[-1], acknowledged=told)]

    def _published(self, received_us: int, span: Span, now_us: int) -> None:
        span.end(now_us)
        self._metrics.published(received_us, now_us, span.exemplar)

    def _event(self, event: Event, headers: dict[str, str]) -> Outgoing:
        self._count(event)
        alone = isinstance(event, Break)
        return Outgoing(TICKS.name, event.product_id, tick.encode(event), headers, alone)

    def _ledger_line(self, kind: ledger.Kind, at_us: int, reason: str | None) -> Outgoing:
        feed = self._connection.feed
        return _to_ledger(ledger.FeedEvent(kind=kind, feed=feed, at_us=at_us, reason=reason))

    def _letter(self, reason: str, product_id: str | None, timed: Timed) -> Outgoing:
        self._metrics.dead_letter(reason)
        letter = dead_letter.dead_letter(
            "ingestor",
            reason,
            timed.data,
            timed.received_us,
            feed=self._connection.feed,
            product_id=product_id,
        )
        return posted(letter, product_id or "")

    def _look_at(self, message: Message) -> None:
        content = message.content
        self._metrics.frames.labels(_kind(content)).inc()
        if isinstance(content, Heartbeat):
            self._metrics.heartbeat_seen()
            if self._connection.feed == LIVE_FEED and message.ahead_us is not None:
                self._metrics.clock_skew.set(message.ahead_us / 1e6)
        elif isinstance(content, ServerError):
            get_logger().error("feed.server_error", message=content.message[:500])
        elif isinstance(content, Ack):
            get_logger().info("feed.subscribed", subscriptions=content.subscriptions)

    def _count(self, event: Event) -> None:
        label = self._metrics.product(event.product_id)
        match event:
            case Tick():
                self._metrics.tick_seen(event.product_id)
            case Beat():
                self._metrics.beats.labels(label).inc()
            case Break():
                self._metrics.breaks.labels(label, event.reason).inc()
                self._metrics.missing_trades.labels(label).inc(event.missing or 0)


def _to_ledger(line: ledger.FeedEvent) -> Outgoing:
    if line.kind == "break":
        _log_gap(line)
    return Outgoing(FEED_EVENTS.name, line.product_id or "", ledger.encode(line))


def _log_gap(line: ledger.FeedEvent) -> None:
    get_logger().warning(
        "feed.gap_detected",
        feed=line.feed,
        product_id=line.product_id,
        reason=line.reason,
        from_us=line.from_us,
        to_us=line.to_us,
        missing=line.missing,
    )


def _kind(content: Content) -> str:
    match content:
        case Quotes():
            return "ticker"
        case Trades():
            return "market_trades"
        case Heartbeat():
            return "heartbeats"
        case Ack():
            return "subscriptions"
        case ServerError():
            return "error"
        case Status():
            return "status"
    return content.channel if content.channel in FRAME_KINDS else OTHER

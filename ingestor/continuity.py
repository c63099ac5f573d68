"""Alive, Beat or Break: what one connection's messages say about continuity.

Only messages and event time count, never a clock of ours: the same frames give the same
events at any speed and in any chunks. Event time is the latest time of any frame so far.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from ingestor.advanced import (
    DIALECT,
    Heartbeat,
    Message,
    Quote,
    Quotes,
    Trades,
    Unknown,
    canonical,
    parse,
)
from ingestor.instant import SECOND_US
from ingestor.tick import Beat, Break, BreakReason, Event, Tick

ALIVE_US: Final = 10 * SECOND_US
"""A sign of life is good for this long; healthy tickers were seen silent for 9.5 s."""
STALLED_US: Final = 10 * SECOND_US
"""New trades for so long without a ticker prove that it is behind: each trade moves it."""
REORDERED: Final = 10
"""A later frame with a number so far below the last one is none of before: they begin anew."""


@dataclass(slots=True)
class _Product:
    """One product: ``frontier_us`` is its last Beat or Tick in order; ``quote`` stands since.

    ``quote`` is None where it is not known whether one stands.
    """

    product_id: str
    frontier_us: int = -1
    quote: Quote | None = None
    trade_id: int | None = None
    traded_us: int = -1
    """Time of the first new trade since its last ticker, -1 if there was none."""
    stalled: bool = False


class Connection:
    """One connection, from its first frame to its last; the next one starts afresh.

    Every product in ``products``, and every other that shows up, begins with a Break.
    ``frontiers`` is all that lasts beyond a connection: the products that had data and
    the time (epoch microseconds) of the last Tick or Beat of each.
    """

    def __init__(
        self, feed: str, products: Iterable[str] = (), frontiers: Mapping[str, int] | None = None
    ) -> None:
        self.feed = feed
        self._before = dict(frontiers or {})
        self._expected = [*dict.fromkeys([*map(canonical, products), *self._before])]
        self._products: dict[str, _Product] = {}
        self._now_us = -1
        self._opened_us = -1
        self._life_us = -1
        self._alive_since_us = -1
        self._alive = True
        self._heartbeats = False
        self._sequence: int | None = None
        self._received_us = 0
        self._events: list[Event] = []

    @property
    def frontiers(self) -> dict[str, int]:
        """The products with data, on this connection or before, and how far they have come."""
        here = {p.product_id: p.frontier_us for p in self._products.values() if p.frontier_us >= 0}
        return {**self._before, **here}

    @property
    def stalled(self) -> frozenset[str]:
        """Products whose trades go on without their ticker."""
        return frozenset(p.product_id for p in self._products.values() if p.stalled)

    def take(self, message: Message, received_us: int) -> list[Event]:
        """Take the next message; gives the events that it brings, in order.

        ``received_us`` (our clock, epoch microseconds) is only written into them.
        """
        self._events, self._received_us = [], received_us
        known_us = self._now_us
        lost = self._count(message.sequence, message.time_us)
        if message.time_us is not None:
            self._advance(message.time_us)
        silent = self._alive and self._now_us - self._life_us > ALIVE_US
        if lost or silent:
            self._break_all("sequence" if lost else "silent", known_us)
        if silent:
            self._alive = False
        self._look_for_life(message)
        self._spoil(message)
        self._read(message, known_us)
        for product in self._products.values():
            self._fill(product, self._now_us // SECOND_US - 2)
        return self._events

    def _count(self, sequence: int | None, time_us: int | None) -> bool:
        """Say whether frames are missing before this one; a repeated number is not a loss."""
        before = self._sequence
        if sequence is None or before is None:
            self._sequence = before if sequence is None else sequence
            return False
        later = time_us is not None and time_us > self._now_us
        anew = later and sequence < before - REORDERED
        self._sequence = sequence if anew else max(sequence, before)
        return anew or sequence > before + 1

    def _advance(self, time_us: int) -> None:
        if self._now_us < 0:
            self._opened_us = self._life_us = self._alive_since_us = time_us
            self._now_us = time_us
            for product_id in self._expected:
                self._product(product_id)
        self._now_us = max(self._now_us, time_us)

    def _look_for_life(self, message: Message) -> None:
        """Heartbeats are the sign of life; until the first one comes, tickers are."""
        content, time_us = message.content, message.time_us
        if time_us is None:
            return
        if isinstance(content, Heartbeat):
            self._heartbeats = True
        elif self._heartbeats or not (isinstance(content, Quotes) and content.quotes):
            return
        self._life_us = max(self._life_us, time_us)
        if not self._alive and self._now_us - self._life_us <= ALIVE_US:
            self._alive, self._alive_since_us = True, time_us

    def _spoil(self, message: Message) -> None:
        """After a ticker that could not be used nobody knows which quote stands."""
        content = message.content
        if not (isinstance(content, Quotes) or content == Unknown("ticker")):
            return
        for problem in message.problems:
            for product in self._products.values():
                if problem.product_id in (None, product.product_id):
                    self._fill(product, self._now_us // SECOND_US - 1)
                    product.quote = None

    def _read(self, message: Message, known_us: int) -> None:
        if message.time_us is None:
            return
        if isinstance(message.content, Quotes):
            # Of several of one product the last is the newest.
            for quote in {quote.product_id: quote for quote in message.content.quotes}.values():
                self._tick(quote, message.time_us, message.sequence)
        elif isinstance(message.content, Trades):
            ids: dict[str, set[int]] = {}
            for trade in message.content.trades:
                ids.setdefault(trade.product_id, set()).add(trade.trade_id)
            for product_id, found in ids.items():
                product = self._product(product_id)
                if self._trades(product, found, known_us):
                    self._look_for_stall(product, message.time_us)

    def _tick(self, quote: Quote, time_us: int, sequence: int | None) -> None:
        product = self._product(quote.product_id)
        product.traded_us, product.stalled = -1, False
        self._fill(product, time_us // SECOND_US - 1)
        self._events.append(
            Tick(
                feed=self.feed,
                product_id=quote.product_id,
                dialect=DIALECT,
                time_us=time_us,
                received_us=self._received_us,
                price=quote.price,
                bid=quote.bid,
                ask=quote.ask,
                bid_size=quote.bid_size,
                ask_size=quote.ask_size,
                sequence=sequence,
            )
        )
        if time_us > product.frontier_us:
            product.frontier_us, product.quote = time_us, quote

    def _look_for_stall(self, product: _Product, time_us: int) -> None:
        """Take new trades: a ticker that does not follow them shows a quote of the past."""
        if product.traded_us < 0:
            product.traded_us = time_us
        elif not product.stalled and time_us - product.traded_us >= STALLED_US:
            product.stalled = True
            if product.quote is not None:
                product.quote = None
                self._put_break(product.product_id, "stalled", self._now_us, None)

    def _trades(self, product: _Product, found: set[int], known_us: int) -> int:
        """Batches overlap and are unordered inside; what is new must follow without a hole.

        Returns how many are new, 0 for the first ones, which may be of any age.
        """
        last = product.trade_id
        product.trade_id = max(found) if last is None else max(last, *found)
        if last is None:
            return 0
        new = sum(1 for trade_id in found if trade_id > last)
        missing = product.trade_id - last - new
        if missing:
            self._break(product, "trade_id", known_us, missing)
        return new

    def _fill(self, product: _Product, through: int) -> None:
        """Write the Beats that are missing up to the second ``through``.

        A quote that had to outlast a second in which the feed was not known to be alive
        stands no longer.
        """
        first = product.frontier_us // SECOND_US + 1
        if product.quote is None or first > through:
            return
        if not self._alive or first < self._alive_since_us // SECOND_US:
            product.quote = None
            return
        for second in range(first, through + 1):
            self._beat(product, product.quote, (second + 1) * SECOND_US - 1)

    def _beat(self, product: _Product, quote: Quote, time_us: int) -> None:
        product.frontier_us = time_us
        self._events.append(
            Beat(
                feed=self.feed,
                product_id=product.product_id,
                dialect=DIALECT,
                time_us=time_us,
                received_us=self._received_us,
                bid=quote.bid,
                ask=quote.ask,
                bid_size=quote.bid_size,
                ask_size=quote.ask_size,
            )
        )

    def _break_all(self, reason: BreakReason, known_us: int) -> None:
        for product in self._products.values():
            self._break(product, reason, known_us)

    def _break(
        self, product: _Product, reason: BreakReason, known_us: int, missing: int | None = None
    ) -> None:
        """End the product's continuity here; what was silent until ``known_us`` is kept."""
        self._fill(product, known_us // SECOND_US - 1)
        product.quote = None
        self._put_break(product.product_id, reason, self._now_us, missing)

    def _product(self, product_id: str) -> _Product:
        """Return a product's state; its first showing begins with a Break."""
        product = self._products.get(product_id)
        if product is None:
            frontier_us = self._before.get(product_id, -1)
            product = self._products[product_id] = _Product(product_id, frontier_us)
            reason: BreakReason = "reconnect" if product_id in self._before else "start"
            self._put_break(product_id, reason, self._opened_us, None)
        return product

    def _put_break(
        self, product_id: str, reason: BreakReason, time_us: int, missing: int | None
    ) -> None:
        self._events.append(
            Break(
                feed=self.feed,
                product_id=product_id,
                dialect=DIALECT,
                time_us=time_us,
                received_us=self._received_us,
                reason=reason,
                missing=missing,
            )
        )


class FrameLike(Protocol):
    """A recorded frame: its time (epoch microseconds) and its bytes."""

    @property
    def time_us(self) -> int:
        """When it was sent or received, epoch microseconds."""

    @property
    def data(self) -> bytes | str:
        """The frame as it came over the wire."""


def events(
    frames: Iterable[FrameLike], feed: str, products: Collection[str] | None = None
) -> Iterator[Event]:
    """Return the events of one recorded connection, as the live ingestor would write them.

    ``products`` names those that are wanted; None wants all that show up.
    """
    connection = Connection(feed, products or ())
    for frame in frames:
        for event in connection.take(parse(frame.data, frame.time_us), frame.time_us):
            if products is None or event.product_id in products:
                yield event

"""How far back a partition of ``ticks`` is read, so that its state is exactly what it was.

Positions are found by content: times of the broker say nothing about event time.
Offsets and events in, offsets out; who reads them is the caller's business.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from featurizer.engine import READ_BACK_US, FeatureEngine
from featurizer.level.levels import Need
from featurizer.level.records import MINUTE_SECONDS
from featurizer.slots import MICROSECONDS
from featurizer.span import Span
from ingestor.tick import Break, Event

LATENESS_US: Final = 60_000_000
"""A Tick may be 60 s ahead of its time; after one, true ones are late by as much."""
OLDER: Final = 8
"""So many older records settle a product: fewer could all be stragglers of a later time."""
FIRST_CHUNK: Final = 4_096
"""About 362 s of one lively product; each further chunk is twice as long."""
LARGEST_CHUNK: Final = 65_536
MINUTE_US: Final = MINUTE_SECONDS * MICROSECONDS
READ_BACK_MS: Final = READ_BACK_US // 1000
FURTHEST_MS: Final = 2 * 3_600_000
"""Further back on the broker's clock nothing can count: a product without ticks, long silent."""


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as it stands in the log; ``appended_ms`` is the broker's clock."""

    appended_ms: int
    event: Event


@dataclass(slots=True)
class _Product:
    """What is known of one product, met from its newest record backwards.

    ``settled`` says that reading may begin here; ``aged`` that it is so because of older
    records, ``begun`` because its feed begins.
    """

    feed: str
    latest_us: int = -1
    older: int = 0
    settled: bool = False
    aged: bool = False
    begun: bool = False

    def meet(self, event: Event) -> None:
        """Take the next older record; another feed's had its state cleared."""
        if event.feed != self.feed:
            self.settled = self.begun = True
        elif not isinstance(event, Break):
            self.latest_us = max(self.latest_us, event.time_us)
            # The minute under way has to be whole, for the level.
            begins_us = self.latest_us // MINUTE_US * MINUTE_US - READ_BACK_US
            self.older += event.time_us < begins_us - LATENESS_US
            self.settled = self.aged = self.older >= OLDER


class ReadBack:
    """Decides what to read of one partition before ``position``, in growing chunks backwards.

    A product is settled at the beginning of its feed, or once ``OLDER`` records are older
    than its window, which reaches 302 s back from the beginning of its last minute, by
    ``LATENESS_US``: then the last accepted key is older too, unless
    both that many records and that much time deceive. The partition is done once all
    products met are settled and the reading spans 302 s, of a product's event time or of
    the broker's clock: a product that was not met by then has no slot left that counts.
    It is done, too, at the partition's beginning, and ``FURTHEST_MS`` back.

    >>> back = ReadBack(beginning=0, position=10_000)
    >>> back.wanted
    Span(first=5904, end=10000)
    """

    def __init__(
        self,
        beginning: int,
        position: int,
        chunk: int = FIRST_CHUNK,
        largest: int = LARGEST_CHUNK,
    ) -> None:
        self._beginning = beginning
        self._chunk, self._largest = chunk, largest
        self._products: dict[str, _Product] = {}
        self._chunks: list[Sequence[Logged]] = []
        self._awaited: frozenset[str] = frozenset()
        self._first = position
        self.newest_ms = 0
        self._oldest_ms = 0
        self.wanted: Span | None = None
        self._want(position)

    def take(self, records: Sequence[Logged]) -> None:
        """Take the usable records of the ``wanted`` span, oldest first, and decide anew."""
        span = self.wanted
        if span is None:
            raise ValueError("expected no more records: enough was read")
        self._chunks.append(records)
        self._first = span.first
        for logged in reversed(records):
            self._meet(logged)
        self._decide()

    def expect(self, products: frozenset[str]) -> None:
        """Say which products stand before the position, so that their last events are found."""
        self._awaited = products
        self._decide()

    def begun(self, product_id: str) -> bool:
        """Say whether what was read has the beginning of the product's feed."""
        return not self._first or self._products[product_id].begun

    def events(self) -> Iterator[Event]:
        """Return all that was read, oldest first."""
        for chunk in reversed(self._chunks):
            for logged in chunk:
                yield logged.event

    @property
    def products(self) -> frozenset[str]:
        """Products met so far."""
        return frozenset(self._products)

    @property
    def unsettled(self) -> list[str]:
        """Products of which more would have to be read to be certain of their state."""
        unmet = self._awaited - self._products.keys()
        return sorted({*unmet, *(n for n, found in self._products.items() if not found.settled)})

    def _decide(self) -> None:
        self.wanted = None
        if not self._enough():
            self._want(self._first)

    def _want(self, end: int) -> None:
        first = max(self._beginning, end - self._chunk)
        self.wanted = Span(first, end) if first < end else None
        self._chunk = min(2 * self._chunk, self._largest)

    def _meet(self, logged: Logged) -> None:
        self.newest_ms = self.newest_ms or logged.appended_ms
        self._oldest_ms = logged.appended_ms
        event = logged.event
        product = self._products.get(event.product_id)
        if product is None:
            product = self._products[event.product_id] = _Product(event.feed)
        if not product.settled:
            product.meet(event)

    def _enough(self) -> bool:
        spanned = self.newest_ms - self._oldest_ms
        if self.unsettled:
            return spanned >= FURTHEST_MS
        return spanned >= READ_BACK_MS or any(p.aged for p in self._products.values())


def restore(engine: FeatureEngine, events: Iterable[Event]) -> int:
    """Bring the engine to the state after these events, making no rows; give their number."""
    count = 0
    for event in events:
        engine.restore(event)
        count += 1
    return count


def needs_of(engine: FeatureEngine, back: ReadBack) -> dict[str, Need]:
    """Return what records have to say of the products whose feed began before what was read."""
    cuts = {
        product: cut
        for product in back.products
        if not back.begun(product) and (cut := engine.levels.cut_us(product)) is not None
    }
    firsts: dict[str, tuple[str, int | None]] = {}
    for event in back.events():
        product = event.product_id
        if product not in cuts:
            continue
        feed, first = firsts.get(product, ("", None))
        if feed != event.feed or first is None:
            firsts[product] = event.feed, event.time_us if event.time_us >= cuts[product] else None
    return {p: engine.levels.need(p, at) for p, (_, at) in firsts.items() if at is not None}

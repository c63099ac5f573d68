"""An order book rebuilt from its level changes, for what its best bid and ask were each second."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Literal

Side = Literal["buy", "sell"]


@dataclass(slots=True)
class BookSide:
    """One side's levels; the best is found through a heap that forgets late.

    >>> asks = HalfBook(sign=1)
    >>> asks.set(11.0, 2.0); asks.set(10.0, 1.0); asks.set(10.0, 0.0)
    >>> asks.best()
    (11.0, 2.0)
    """

    sign: Literal[1, -1]
    levels: dict[float, float] = field(default_factory=dict)
    heap: list[float] = field(default_factory=list)

    def set(self, price: float, size: float) -> None:
        """Set the size that stands at a price; 0 takes the level away."""
        if size > 0:
            if price not in self.levels:
                heappush(self.heap, self.sign * price)
            self.levels[price] = size
        else:
            self.levels.pop(price, None)

    def fill(self, levels: Iterable[tuple[float, float]]) -> None:
        """Replace all levels by those of a snapshot."""
        self.levels = {price: size for price, size in levels if size > 0}
        self.heap = [self.sign * price for price in self.levels]
        heapify(self.heap)

    def best(self) -> tuple[float, float] | None:
        """Return the best price and its size; None of an empty side."""
        while self.heap and self.sign * self.heap[0] not in self.levels:
            heappop(self.heap)
        if not self.heap:
            return None
        price = self.sign * self.heap[0]
        return price, self.levels[price]


@dataclass(frozen=True, slots=True)
class BookChange:
    """One level change: at ``time_us`` (epoch microseconds) that ``size`` stands at ``price``."""

    time_us: int
    side: Side
    price: float
    size: float


@dataclass(frozen=True, slots=True)
class BestQuote:
    """The best quote after a change."""

    time_us: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float


def best_quotes(
    bids: Iterable[tuple[float, float]],
    asks: Iterable[tuple[float, float]],
    changes: Iterable[BookChange],
) -> Iterator[BestQuote]:
    """Return the best quote after each change to a snapshot; nothing while crossed or one-sided.

    Level changes of one update come one by one, so a book may look crossed between them.
    """
    buy, sell = BookSide(-1), BookSide(1)
    buy.fill(bids)
    sell.fill(asks)
    for change in changes:
        (buy if change.side == "buy" else sell).set(change.price, change.size)
        bid, ask = buy.best(), sell.best()
        if bid is not None and ask is not None and bid[0] < ask[0]:
            yield BestQuote(change.time_us, *bid, *ask)

"""Trades of a venue, and the events that its feed would have given: one Tick or Beat a second.

These days have no quotes, so the price stands for the mid.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from featurizer.slots import MICROSECONDS
from ingestor.tick import Beat, Break, Dialect, Event, Tick
from training.data.thresholds import Flags
from training.external.columns import Columns, Numbers, Times, read_columns

DIALECT: Final[Dialect] = "exchange"


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades in order of time: epoch microseconds, and prices in quote currency.

    ``broken`` is true where trades are missing, or may be, just before.
    """

    time_us: Times
    price: Numbers
    broken: Flags

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class Venue:
    """A venue whose days are read: which product, file, source and licence, and by what.

    ``read`` raises ``DatasetError`` naming file, row, what was found and what was expected.
    """

    name: str
    product: str
    file: str
    source: str
    licence: str
    read: Callable[[Path], Trades]


def trade_columns(path: Path, *more: str) -> Columns:
    """Read a venue's columns ``time_us``, ``price`` and ``size``, and ``more``.

    Raises:
        DatasetError: unreadable, empty, or a column is missing.
    """
    return read_columns(path, ("time_us", "price", "size", *more))


def trades_of(columns: Columns, broken: Callable[[Times], Flags]) -> Trades:
    """Check times and prices; ``broken`` says of times where a break stands before a trade.

    Raises:
        DatasetError: a time runs backwards, or a price is none.
    """
    time_us = columns.numbers("time_us").astype(np.int64)
    columns.refuse(time_us <= 0, "time_us", "epoch microseconds")
    columns.in_order("time_us", time_us)
    price = columns.numbers("price")
    columns.refuse(price <= 0, "price", "a price above 0")
    columns.numbers("size")
    return Trades(time_us, price, broken(time_us))


def silent_for(seconds: int) -> Callable[[Times], Flags]:
    """Return what calls a longer silence than this a break."""

    def broken(time_us: Times) -> Flags:
        return np.diff(time_us, prepend=time_us[0]) > seconds * MICROSECONDS

    return broken


def events_of(trades: Trades, feed: str, product: str) -> Iterator[Event]:
    """Return each second's last trade as a Tick, a Beat for a second without, and the Breaks."""
    second = trades.time_us // MICROSECONDS
    first = np.flatnonzero(np.diff(second, prepend=second[0] - 1))
    last = np.append(first[1:], len(second)) - 1
    broken = np.logical_or.reduceat(trades.broken, first).tolist()
    make = _Events(feed, product)
    times, prices = trades.time_us[last].tolist(), trades.price[last].tolist()
    before = (0, 0.0)
    for time_us, price, after_break in zip(times, prices, broken, strict=True):
        if after_break:
            yield make.lost(time_us)
        elif before[0]:
            yield from make.beats(before[0], time_us, before[1])
        yield make.tick(time_us, price)
        before = (time_us, price)


@dataclass(frozen=True, slots=True)
class _Events:
    """Makes the events of one product of one feed."""

    feed: str
    product: str

    def tick(self, time_us: int, price: float) -> Tick:
        return Tick(
            feed=self.feed,
            product_id=self.product,
            dialect=DIALECT,
            time_us=time_us,
            received_us=time_us,
            price=price,
            bid=price,
            ask=price,
        )

    def beats(self, since_us: int, until_us: int, price: float) -> Iterator[Beat]:
        """Return one for each second between two trades, at its last microsecond."""
        for second in range(since_us // MICROSECONDS + 1, until_us // MICROSECONDS):
            end_us = (second + 1) * MICROSECONDS - 1
            yield Beat(
                feed=self.feed,
                product_id=self.product,
                dialect=DIALECT,
                time_us=end_us,
                received_us=end_us,
                bid=price,
                ask=price,
            )

    def lost(self, time_us: int) -> Break:
        return Break(
            feed=self.feed,
            product_id=self.product,
            dialect=DIALECT,
            time_us=time_us,
            received_us=time_us,
            reason="sequence",
        )

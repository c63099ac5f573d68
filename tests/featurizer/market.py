"""Events for the laws: a small, sparse, seeded market with all that can go wrong in a stream."""

import random
from collections.abc import Iterator
from typing import Any

from featurizer.engine import FeatureEngine
from featurizer.row import FeatureRow
from ingestor.tick import Beat, Break, Event, Tick

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
SIZES = ((None, None), (0.0, 0.0), *((0.3, 0.1), (0.02, 1.7), (5.0, 0.0)) * 3)


def tick(time_us: int, bid: float = 99.0, ask: float = 101.0, **more: Any) -> Tick:
    """A Tick of feed ``f`` for BTC-USD, with the quote that is given."""
    fields = {"feed": "f", "product_id": "BTC-USD", "dialect": "advanced", "received_us": time_us}
    return Tick(time_us=time_us, price=ask, bid=bid, ask=ask, **{**fields, **more})


def beat(second: int, bid: float = 99.0, ask: float = 101.0, **more: Any) -> Beat:
    """A Beat for an epoch second, at its last microsecond."""
    time_us = second * SECOND + SECOND - 1
    fields = {"feed": "f", "product_id": "BTC-USD", "dialect": "advanced", "received_us": time_us}
    return Beat(time_us=time_us, bid=bid, ask=ask, **{**fields, **more})


def break_at(time_us: int, **more: Any) -> Break:
    """A Break inside or between seconds."""
    fields = {"feed": "f", "product_id": "BTC-USD", "dialect": "advanced", "received_us": time_us}
    return Break(time_us=time_us, reason="sequence", **{**fields, **more})


class _Stream:
    """One product's random walk: ticks, silences filled by Beats or cut by Breaks."""

    def __init__(self, random_: random.Random, product_id: str, feed: str, start_us: int) -> None:
        self.random, self.feed, self.product_id = random_, feed, product_id
        self.time_us, self.trade_id, self.mid = start_us, 0, 100.0
        self.quote: dict[str, Any] = {}
        self.past: list[Tick] = []

    def tick(self) -> Tick:
        """The next Tick, up to a third of a second on or in the same microsecond."""
        self.time_us += self.random.choice((0, 1, 90_000, 330_000))
        self.trade_id += 1
        self.mid *= 1 + self.random.gauss(0, 2e-4)
        half = self.random.choice((0.005, 0.01, 0.05))
        sizes = self.random.choice(SIZES)
        self.quote = {
            "bid": round(self.mid - half, 3),
            "ask": round(self.mid + half, 3),
            "bid_size": sizes[0],
            "ask_size": sizes[1],
        }
        made = tick(self.time_us, trade_id=self.trade_id, **self.quote, **self.named())
        self.past.append(made)
        return made

    def named(self) -> dict[str, Any]:
        return {"feed": self.feed, "product_id": self.product_id}

    def silence(self) -> Iterator[Event]:
        """Some seconds without a tick: Beats while alive, a hole and a Break when not."""
        second, length = self.time_us // SECOND, self.random.choice((2, 3, 5, 40))
        alive = self.random.random() < 0.8
        if alive and self.quote:
            for missing in range(second + 1, second + length):
                yield beat(missing, **self.quote, **self.named())
        else:
            yield break_at(self.time_us + self.random.choice((0, 1_500_000)), **self.named())
        self.time_us = (second + length) * SECOND + self.random.randrange(SECOND)

    def again(self) -> Iterator[Event]:
        """Late and repeated ticks: some of the last ones once more, in their old order."""
        yield from self.past[-self.random.choice((1, 2, 5)) :]

    def step(self) -> Iterator[Event]:
        """What comes next."""
        chance = self.random.random()
        if chance < 0.70 or not self.past:
            yield self.tick()
        elif chance < 0.88:
            yield from self.silence()
        elif chance < 0.96:
            yield from self.again()
        else:
            yield break_at(self.time_us, **self.named())


def market(
    seed: int,
    steps: int = 600,
    products: tuple[str, ...] = ("BTC-USD", "ETH-USD"),
    feeds: tuple[str, ...] = ("first", "second"),
) -> list[Event]:
    """A sparse capture of all products in one order; later feeds run over the same event time."""
    random_ = random.Random(seed)
    events: list[Event] = []
    for feed in feeds:
        streams = [_Stream(random_, product, feed, START) for product in products]
        events += [break_at(START, **stream.named()) for stream in streams]
        for _ in range(steps // len(feeds)):
            # One clock: the product that is furthest behind comes next.
            events += min(streams, key=lambda stream: stream.time_us).step()
    return events


def last_row(events: list[Event]) -> FeatureRow:
    """The row of the last event, which is an accepted Tick."""
    engine, row = FeatureEngine(), None
    for event in events:
        row = engine.update(event)
    assert row is not None
    return row


def seconds(*numbers: int, **quote: float | None) -> list[Event]:
    """A Tick at the start of each of these seconds."""
    return [tick(second * SECOND, **quote) for second in numbers]

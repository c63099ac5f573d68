"""A market made up from a seed, as the frames Advanced Trade would send of it.

Each product has a random stream of its own, so a further product changes none of the others.
The same seed, products and start give the same bytes.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Final

import msgspec

from ingestor.instant import SECOND_US, text_of
from ingestor.recordings.recording import Frame, heartbeat
from simulator.conflation import Happening, conflated
from simulator.faults import Faults
from simulator.moods import BURST_FACTOR, MOODS_BY_NAME, NORMAL, Mood, mood_at
from simulator.volatility import DAY_S, MOODS, Volatility, course_of

YEAR_S: Final = 31_557_600
SLOTS: Final = 10
"""Advanced Trade conflates its ticker to at most this many frames a second."""
SLOT_US: Final = SECOND_US // SLOTS
JITTER_US: Final = 60_000
HEARTBEAT_US: Final = 260_000
"""Where in each second the heartbeat stands."""
BATCH_US: Final = 250_000
"""Trades come in batches of this length."""
KNOWN: Final = {"BTC-USD": 67_000.0, "ETH-USD": 2_050.0, "SOL-USD": 150.0}
"""Prices to start from; another product gets one from its own random stream."""


def frames(
    seed: int,
    products: Sequence[str],
    start_us: int,
    seconds: int | None = None,
    *,
    past: int = 0,
    volatility: str = MOODS,
    faults: Faults | None = None,
) -> Iterator[Frame]:
    """Return the market's frames from ``start_us`` on, for so many whole seconds or without end.

    Channels are ``ticker``, ``market_trades`` and ``heartbeats``. Of the first ``past`` seconds
    tickers and trades come conflated; the market is the same with and without. By ``volatility``
    moods of minutes follow each other, or it is ``wandering`` with a memory of days, or that is
    held at the quantile of the mood named (``simulator.volatility``). ``faults`` may hold a mood,
    or let a price fall.
    """
    first_us = -(-start_us // SECOND_US) * SECOND_US
    stocks = [Stock.of(seed, product, start_us, volatility=volatility) for product in products]
    for stock in stocks:
        stock.faults = faults
    number = count()
    for shift, stock in enumerate(stocks):
        yield _frame((start_us + shift, "ticker", stock.ticker("snapshot")), next(number))
    for second in count() if seconds is None else range(seconds):
        now_us = first_us + second * SECOND_US
        happened = [item for stock in stocks for item in stock.second(now_us)]
        happened.append((now_us + HEARTBEAT_US, "heartbeats", {"counter": second + 1}))
        happened.sort(key=lambda item: item[0])
        for item in conflated(happened) if second < past else happened:
            yield _frame(item, next(number))


@dataclass(slots=True)
class Stock:
    """One product: its price process, its quote and its trades.

    ``mid`` is the unrounded price; ``step`` the price grid, of ``digits`` decimals.
    ``burst`` and ``quiet`` are how many more seconds of a burst or a silence follow.
    Without a ``volatility`` the moods follow each other by their own chances.
    """

    product: str
    random: Random
    mid: float
    digits: int
    start_us: int
    mood: Mood = NORMAL
    burst: int = 0
    quiet: int = 0
    trade_id: int = 0
    bid: int = 0
    ask: int = 0
    last: int = 0
    low: int = 0
    high: int = 0
    volume: float = 3_000.0
    volatility: Volatility | None = None
    faults: Faults | None = None
    opening: float = field(init=False)

    def __post_init__(self) -> None:
        """Put the first quote and the first price in place."""
        self.opening = self.mid
        self._quote()
        self.last = self.low = self.high = self.ask

    @classmethod
    def of(cls, seed: int, product: str, start_us: int, *, volatility: str = MOODS) -> "Stock":
        """Make the product as it stands at the start."""
        random = Random(f"{seed}/{product}")
        drawn = math.exp(random.uniform(0.0, 8.0))
        price = KNOWN.get(product, drawn)
        trade_id = random.randrange(10**8, 10**9)
        stock = cls(product, random, price, 2 if price >= 50 else 4, start_us, trade_id=trade_id)
        stock.volatility = None if volatility == MOODS else course_of(seed, product, volatility)
        return stock

    def second(self, now_us: int) -> Iterator[Happening]:
        """Live through one second, and give its tickers and batches of trades."""
        self._mood(now_us)
        self._suffer()
        quotes = []
        for slot in range(SLOTS):
            self._move()
            self._quote()
            quotes.append((self.bid, self.ask))
            at_us = now_us + slot * SLOT_US + self.random.randrange(JITTER_US)
            if self.random.random() < self._tick_chance() and at_us - self.start_us >= SLOT_US:
                yield at_us, "ticker", self.ticker("update")
            if slot in (2, 4, 7, 9):
                batch = self._trades(now_us + (slot * SLOT_US // BATCH_US) * BATCH_US, quotes)
                quotes = []
                if batch:
                    sent_us = now_us + (slot + 1) * SLOT_US - 1
                    yield sent_us, "market_trades", {"type": "update", "trades": batch}

    def ticker(self, kind: str) -> dict[str, Any]:
        """Return the ticker event as it stands."""
        change = 100 * (self.mid / self.opening - 1)
        ticker = {
            "type": "ticker",
            "product_id": self.product,
            "price": self._price(self.last),
            "volume_24_h": f"{self.volume:.8f}",
            "low_24_h": self._price(self.low),
            "high_24_h": self._price(self.high),
            "price_percent_chg_24_h": f"{change:.10f}",
            "best_bid": self._price(self.bid),
            "best_ask": self._price(self.ask),
            "best_bid_quantity": self._size(),
            "best_ask_quantity": self._size(),
        }
        return {"type": kind, "tickers": [ticker]}

    def _mood(self, now_us: int) -> None:
        if self.volatility is None:
            self.mood = self.mood.after_a_second(self.random)
        else:
            self.volatility.step(1.0)
            self.mood = mood_at(self.volatility.annual(now_us / SECOND_US % DAY_S))
        self.burst = max(self.burst - 1, 0) or self.mood.burst(self.random)
        self.quiet = max(self.quiet - 1, 0) or self.mood.quiet(self.random)

    def _suffer(self) -> None:
        """Take on what was asked for from outside; afterwards a mood goes on by its chances."""
        if self.faults is None:
            return
        self.mid *= self.faults.fall(self.product)
        held = self.faults.mood(self.product)
        if held is not None:
            self.mood = MOODS_BY_NAME[held]

    def _tick_chance(self) -> float:
        if self.burst:
            return 0.9
        return 0.0 if self.quiet else self.mood.ticks_per_s / SLOTS

    def _move(self) -> None:
        deviation = self.mood.volatility / math.sqrt(YEAR_S * SLOTS)
        if self.burst:
            deviation *= BURST_FACTOR
        self.mid *= math.exp(deviation * self.random.gauss(0.0, 1.0))

    def _quote(self) -> None:
        spread = 1 + int(self.random.expovariate(1.0) * self.mood.spread_steps)
        self.bid = max(int(self.mid * 10**self.digits - spread / 2), 1)
        self.ask = self.bid + spread

    def _trades(self, from_us: int, quotes: list[tuple[int, int]]) -> list[dict[str, str]]:
        rate = self.mood.trades_per_s * (BURST_FACTOR if self.burst else 1)
        if self.quiet and self.volatility is not None:
            rate = 0.0  # each trade would move the ticker: ten seconds of both is a stall
        times = sorted(self.random.randrange(BATCH_US) for _ in range(self._number(rate / 4)))
        return [self._trade(from_us + time, self.random.choice(quotes)) for time in times]

    def _trade(self, time_us: int, quote: tuple[int, int]) -> dict[str, str]:
        self.trade_id += 1
        buys = self.random.random() < 0.5
        self.last = quote[1] if buys else quote[0]
        self.low, self.high = min(self.low, self.last), max(self.high, self.last)
        size = self._size()
        self.volume += float(size)
        return {
            "trade_id": str(self.trade_id),
            "product_id": self.product,
            "price": self._price(self.last),
            "size": size,
            "side": "BUY" if buys else "SELL",
            "time": text_of(time_us)[:-4] + "Z",
        }

    def _number(self, mean: float) -> int:
        """Draw from the Poisson distribution (Knuth's product of uniforms)."""
        limit, product, drawn = math.exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            drawn += 1
        return drawn

    def _price(self, steps: int) -> str:
        whole, rest = divmod(steps, 10**self.digits)
        return f"{whole}.{rest:0{self.digits}d}"

    def _size(self) -> str:
        return f"{max(math.exp(self.random.gauss(-2.0, 1.2)), 1e-8):.8f}"


def _frame(item: Happening, number: int) -> Frame:
    time_us, channel, event = item
    if channel == "heartbeats":
        envelope = heartbeat(time_us, event["counter"], event["counter"] * SECOND_US).envelope
        envelope = msgspec.structs.replace(envelope, sequence_num=number)
        return Frame(time_us, msgspec.json.encode(envelope))
    whole = {
        "channel": channel,
        "timestamp": text_of(time_us, number % 1000),
        "sequence_num": number,
        "events": [event],
    }
    return Frame(time_us, msgspec.json.encode(whole))

"""Rows of generated markets for measuring drift: the simulator's own, held in a mood or free.

The rows are those that the featurizer makes of the market's tickers, with a Beat for each second
without one, as the ingestor writes it while heartbeats arrive.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from drift.comparison import STEP_SECONDS
from featurizer.engine import FeatureEngine
from featurizer.features import NAMES
from featurizer.row import FeatureRow
from featurizer.slots import MICROSECONDS
from ingestor.tick import Beat, Event, Tick
from serving.linear import Linear
from simulator.market import Stock
from simulator.moods import CALM, NORMAL, WILD, Mood

START: Final = 1_700_000_040
"""Epoch second, a whole minute, at which generated time begins."""
FOREVER: Final = 10**9
WARM_UP: Final = 300
MOODS: Final[Mapping[str, Mood | None]] = {
    "free": None,
    "calm": CALM,
    "normal": NORMAL,
    "wild": WILD,
}
"""``free``: the moods change in minutes, as the simulator plays them."""


@dataclass(frozen=True, slots=True)
class Change:
    """From this second after the start on, the market is held in another mood."""

    second: int
    mood: str


def events(
    seed: int,
    seconds: int,
    mood: str = "free",
    change: Change | None = None,
    product: str = "BTC-USD",
) -> Iterator[Event]:
    """Return so many seconds of one product's market."""
    stock = Stock.of(seed, product, START * MICROSECONDS)
    _hold(stock, mood)
    standing: Tick | None = None
    for second in range(seconds):
        if change is not None and second == change.second:
            _hold(stock, change.mood)
        now_us = (START + second) * MICROSECONDS
        ticks = [
            _tick(product, at, event["tickers"][0], f"market-{seed}")
            for at, channel, event in stock.second(now_us)
            if channel == "ticker"
        ]
        yield from ticks
        if ticks:
            standing = ticks[-1]
        elif standing is not None:
            yield _beat(standing, now_us + MICROSECONDS - 1)


def rows(made: Iterator[Event]) -> list[FeatureRow]:
    """Return one row a minute, its last, of those with all of the last 300 s known."""
    engine = FeatureEngine()
    kept: dict[int, FeatureRow] = {}
    for event in made:
        row = engine.update(event)
        if row is not None and row.coverage == 1.0:
            kept[row.second // STEP_SECONDS] = row
    return list(kept.values())


def values(found: list[FeatureRow]) -> list[list[float | None]]:
    """Return rows as values in the order of ``NAMES``."""
    return [[row.features[name] for name in NAMES] for row in found]


def model_of(reference: list[list[float | None]]) -> Linear:
    """Make a model of the baseline's form from training rows: z of the 60 s' volatility."""
    known = [row[0] for row in reference if row[0] is not None]
    mean = sum(known) / len(known)
    deviation = (sum((x - mean) ** 2 for x in known) / len(known)) ** 0.5
    return Linear("baseline", NAMES[:1], (mean,), (mean,), (deviation,), (1.0,), -2.2)


def _hold(stock: Stock, mood: str) -> None:
    held = MOODS[mood]
    if held is not None:
        stock.mood = replace(held, lasts_s=FOREVER)


def _tick(product: str, time_us: int, ticker: Mapping[str, str], feed: str) -> Tick:
    return Tick(
        feed=feed,
        product_id=product,
        dialect="advanced",
        time_us=time_us,
        received_us=time_us,
        price=float(ticker["price"]),
        bid=float(ticker["best_bid"]),
        ask=float(ticker["best_ask"]),
        bid_size=float(ticker["best_bid_quantity"]),
        ask_size=float(ticker["best_ask_quantity"]),
    )


def _beat(tick: Tick, time_us: int) -> Beat:
    return Beat(
        feed=tick.feed,
        product_id=tick.product_id,
        dialect=tick.dialect,
        time_us=time_us,
        received_us=time_us,
        bid=tick.bid,
        ask=tick.ask,
        bid_size=tick.bid_size,
        ask_size=tick.ask_size,
    )

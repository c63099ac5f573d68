"""How the cost of a tick grows: with the window, and with the number of products."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, Final
from unittest.mock import patch

from benchmarks.measure import Table, cpu_us, interleaved
from benchmarks.ticks import ticks
from featurizer import engine, statistic, windows
from featurizer.engine import FeatureEngine
from featurizer.features import Feature
from featurizer.slots import Timeline
from ingestor.tick import Tick

GROWN: Final = (60, 300, 900, 3_600)
PRODUCTS: Final = (1, 10, 100, 400)
STATISTICS: Final = (
    statistic.REALIZED_VOLATILITY,
    statistic.SPREAD_MEAN,
    statistic.TRADE_INTENSITY,
    statistic.ORDER_BOOK_IMBALANCE,
    statistic.PRICE_VELOCITY,
)


@contextmanager
def window_of(seconds: int) -> Iterator[None]:
    """Let the engine's features be five statistics over one window, kept second by second."""
    plan = windows.plan_of([Feature(each, seconds, 0.0, "") for each in STATISTICS])
    timeline = partial(Timeline, size=seconds + 2)
    with (
        patch.object(engine, "PLAN", plan),
        patch.object(windows, "LONGEST", seconds),
        patch.object(engine, "Timeline", timeline),
    ):
        yield


def by_window(rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure five statistics over windows of any length, once these are full."""
    events = ticks(2 * GROWN[-1] * 4, rate=4.0, burst=4.0)
    ways = {str(seconds): partial(_full, seconds, events) for seconds in GROWN}
    found = interleaved(ways, rounds)
    rows = tuple((w, f"{us:.2f}", f"{us / found[str(GROWN[0])]:.2f}") for w, us in found.items())
    about = (
        "Five statistics over one window, 4 ticks a second so that a quarter of the calls begin a"
        " second; µs of CPU a tick once the window is full."
    )
    columns = ("window, seconds", "a tick", "× that of 60 s")
    return Table("Growth with the window", about, columns, rows), found


def _full(seconds: int, events: Sequence[Tick]) -> float:
    with window_of(seconds):
        here, half = FeatureEngine(), len(events) // 2
        for event in events[:half]:
            here.update(event)
        return cpu_us(here.update, events[half:])


def by_products(rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure the same stream of each of many products, second by second."""
    ways = {
        f"{n} {order}": partial(_together, n, order == "turns")
        for n in PRODUCTS
        for order in ("turns", "row")
    }
    found = interleaved(ways, rounds)
    rows = []
    for n in PRODUCTS:
        turns, row = found[f"{n} turns"], found[f"{n} row"]
        first = found[f"{PRODUCTS[0]} turns"]
        rows.append((str(n), f"{turns:.2f}", f"{turns / first:.2f}", f"{row:.2f}"))
    about = (
        "Each product with the same 10 ticks a second; µs of CPU a tick, after two minutes,"
        " products by turns, and each product's ticks of a second in a row."
    )
    columns = ("products", "by turns", "× that of 1", "in a row")
    return Table("Growth with products", about, columns, tuple(rows)), found


def _together(products: int, turns: bool) -> float:
    """Return the CPU time a tick, each second's ticks made just before, as a reader makes them."""
    here, stream, took = FeatureEngine(), ticks(1_500, rate=10.0, burst=10.0), list[float]()
    for at in range(0, len(stream), 10):
        made = [[_of(event, f"P{n}") for event in stream[at : at + 10]] for n in range(products)]
        ordered = chain.from_iterable(zip(*made, strict=True) if turns else made)
        events = list(ordered)
        began = time.process_time()
        for event in events:
            here.update(event)
        took.append(time.process_time() - began)
    settled = took[len(took) * 4 // 5 :]
    return sum(settled) / len(settled) / (10 * products) * 1e6


def _of(event: Tick, product: str) -> Tick:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return Tick(**{**fields, "product_id": product})

"""What a tick's features cost, beside other ways to make the same, and how that grows.

    python benchmarks/features.py [--ticks 40000] [--rounds 5]

Agreement of all ways is checked before anything is timed; a library that is not installed is named
and left out. Ways take turns within one run, and figures are medians of CPU time.
Writes ``benchmarks/results/features.json``, of which ``benchmarks/page.py`` makes tables.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import chain
from math import isclose
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import Result, Table, calls, cpu_us, interleaved, machine, quantile, write
from benchmarks.streams import STREAMS, Stream
from featurizer import engine, statistic, windows
from featurizer import row as row_codec
from featurizer.engine import FeatureEngine
from featurizer.features import REQUIRED, Feature
from featurizer.slots import Timeline
from ingestor import tick as tick_codec
from ingestor.tick import Tick
from training.data.rows import Labeller

START_US: Final = 1_790_000_000_000_000
HERE: Final = "this engine: 14 features, level, coverage, row with its id"
NEEDS: Final = {"river, `TimeRolling` a window": "river"}
GROWN: Final = (60, 300, 900, 3_600)
PRODUCTS: Final = (1, 10, 100, 400)
STATISTICS: Final = (
    statistic.REALIZED_VOLATILITY,
    statistic.SPREAD_MEAN,
    statistic.TRADE_INTENSITY,
    statistic.ORDER_BOOK_IMBALANCE,
    statistic.PRICE_VELOCITY,
)


def ticks(count: int, rate: float = 19.6, burst: float = 129.0, product: str = "P") -> list[Tick]:
    """Return ticks at a rate a second, one minute in ten at a burst's, one at least each second.

    Four in ten move the mid, the sizes are new each time, about as in the recordings.
    """
    random, time_us, mid, found = Random(7), START_US, 50_000.0, list[Tick]()
    while len(found) < count:
        fast = time_us // 60_000_000 % 10 == 9
        step = random.expovariate(burst if fast else rate) * 1e6
        time_us += 1 + min(int(step), 999_000)
        if random.random() < 0.4:
            mid *= 1 + random.gauss(0, 2e-5)
        found.append(_tick(product, time_us, mid, len(found) + 1, random))
    return found


def _tick(product: str, time_us: int, mid: float, number: int, random: Random) -> Tick:
    return Tick(
        feed="f",
        product_id=product,
        dialect="advanced",
        time_us=time_us,
        received_us=time_us,
        price=mid,
        bid=round(mid - 0.005, 2),
        ask=round(mid + 0.015, 2),
        bid_size=round(random.random() * 3, 8),
        ask_size=round(random.random() * 3 + 1e-3, 8),
        size=round(random.random(), 8),
        trade_id=number,
    )


def agree(streams: dict[str, Any], events: Sequence[Tick]) -> None:
    """Compare each way with the engine on each tick; raises ``ValueError`` where they differ."""
    here, made = FeatureEngine(), {name: make() for name, make in streams.items()}
    for event in events:
        row = here.update(event)
        assert row is not None
        wanted = [row.features[name] for name in REQUIRED]
        for name, stream in made.items():
            for feature, mine, theirs in zip(REQUIRED, wanted, stream.update(event), strict=True):
                if not _same(mine, theirs):
                    raise ValueError(f"{name}: {feature} {theirs}, the engine has {mine}")


def _same(mine: float | None, theirs: float | None) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return isclose(mine, theirs, rel_tol=1e-6, abs_tol=1e-9)


def beside(events: Sequence[Tick], rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure all ways on the same ticks."""
    missing = [name for name, package in NEEDS.items() if find_spec(package) is None]
    streams = {name: make for name, make in STREAMS.items() if name not in missing}
    agree(streams, events[:12_000])
    makes = {**streams, HERE: FeatureEngine}
    means = interleaved({n: partial(_mean, make, events) for n, make in makes.items()}, rounds)
    found: dict[str, dict[str, float]] = {}
    for name, make in makes.items():
        rising = calls(_warm(make(), events), events[len(events) // 2 :])
        shares = {f"p{share}": quantile(rising, share / 100) for share in (50, 99)}
        found[name] = {"mean": means[name], **shares}
    rows = [
        (
            name,
            *(f"{f[key]:.1f}" for key in ("mean", "p50", "p99")),
            f"{f['mean'] / means[HERE]:.2f}",
        )
        for name, f in found.items()
    ]
    rows += [(f"{name} (not installed where this ran)", "–", "–", "–", "–") for name in missing]
    about = (
        f"{len(events)} ticks of one product at 19.6 a second, one minute in ten at 129, a Tick in,"
        " a row of numbers out; µs of CPU a tick."
    )
    columns = ("way", "mean", "p50 of a call", "p99", "mean × this engine's")
    return Table("Features a tick", about, columns, tuple(rows)), found


def _mean(make: Any, events: Sequence[Tick]) -> float:
    return cpu_us(make().update, events)


def _warm(stream: Stream | FeatureEngine, events: Sequence[Tick]) -> Any:
    for event in events[: len(events) // 2]:
        stream.update(event)
    return stream.update


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
        return cpu_us(_warm(FeatureEngine(), events), events[len(events) // 2 :])


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


def codec(events: Sequence[Tick], rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure bytes to struct and back, checked, beside ``json`` and ``orjson`` unchecked."""
    here = FeatureEngine()
    rows = [row for event in events if (row := here.update(event)) is not None]
    tick_bytes, row_bytes = [*map(tick_codec.encode, events)], [*map(row_codec.encode, rows)]
    plain = [json.loads(data) for data in tick_bytes]
    ways = {
        "tick: encode": (tick_codec.encode, events),
        "tick: decode, types and limits checked": (tick_codec.decode, tick_bytes),
        "row: encode": (row_codec.encode, rows),
        "row: decode, checked": (row_codec.decode, row_bytes),
        "tick by `json`, unchecked: encode": (json.dumps, plain),
        "tick by `json`, unchecked: decode": (json.loads, tick_bytes),
    }
    if find_spec("orjson") is not None:
        import orjson

        ways["tick by `orjson`, unchecked: encode"] = (orjson.dumps, plain)
        ways["tick by `orjson`, unchecked: decode"] = (orjson.loads, tick_bytes)
    found = interleaved({name: partial(cpu_us, *way) for name, way in ways.items()}, rounds)
    lines = tuple((name, f"{us:.2f}") for name, us in found.items())
    return Table("Codec", "µs of CPU a message.", ("what", "a message"), lines), found


def batch(events: Sequence[Tick], rounds: int) -> tuple[Table, dict[str, Any]]:
    """Measure rows of each second's last tick, with labels, as training makes them."""
    data = [*map(tick_codec.encode, events)]
    ways = {
        "ticks to labelled rows": lambda: _rate(events),
        "bytes to labelled rows": lambda: _rate(map(tick_codec.decode, data), len(data)),
    }
    found = interleaved(ways, rounds)
    lines = tuple((name, f"{rate:,.0f}") for name, rate in found.items())
    about = (
        "A stretch of the same ticks through slots, features and labels to the bits of the live"
        " rows, on one core; a row is made of each second's last tick."
    )
    return Table("Batch", about, ("what", "ticks a second of CPU"), lines), found


def _rate(events: Any, count: int = 0) -> float:
    count = count or len(events)
    return 1e6 / (cpu_us(lambda all_: [*Labeller().rows(all_)], [events]) / count)


def main() -> int:
    """Measure, write the result and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    events = ticks(options.ticks)
    parts = {
        "beside": beside(events, options.rounds),
        "window": by_window(options.rounds),
        "products": by_products(options.rounds),
        "codec": codec(events[:10_000], options.rounds),
        "batch": batch(events, options.rounds),
    }
    tables = tuple(table for table, _ in parts.values())
    figures = {name: found for name, (_, found) in parts.items()}
    where = machine(("river", "msgspec", "orjson"))
    sys.stdout.write(f"{write(Result('features', where, tables, figures))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

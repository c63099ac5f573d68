"""Every product of the exchange at once, in bursts, through the engine; and what that asks for.

    python benchmarks/scale.py [--products 400] [--minutes 6]

A Poisson stream a product with rates that fall off as an exchange's do (by rank), and once a
minute ten seconds at six times its rate for all together. Lag is how far a single engine, fed at
real time on one core, stands behind: from measured CPU time, second by second, as a queue.
Writes ``benchmarks/results/scale.json``.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import Result, Table, machine, quantile, write
from featurizer.engine import FeatureEngine
from featurizer.row import encode as encode_row
from ingestor.tick import Beat, Tick, decode, encode

START: Final = 1_790_000_040
BUSIEST: Final = 20.0
"""Ticks a second of the first product; the k-th has a k-th of it, and 0.2 at least."""
LEAST: Final = 0.2
BURST: Final = 6.0
"""Times the usual, ten seconds of each minute."""


def rates(products: int) -> list[float]:
    """Return the usual ticks a second of each product."""
    return [max(BUSIEST / (rank + 1), LEAST) for rank in range(products)]


def market(products: int, seconds: int) -> Iterator[list[bytes]]:
    """Give each second's events as they stand in the topic, products mixed by time.

    A product without a tick has a Beat, as the ingestor makes it.
    """
    random, usual = Random(11), rates(products)
    mids, numbers = [100.0] * products, [0] * products
    for second in range(START, START + seconds):
        factor = BURST if second % 60 < 10 else 1.0
        timed = [
            (random.randrange(1_000_000), product)
            for product, rate in enumerate(usual)
            for _ in range(_poisson(random, rate * factor))
        ]
        silent = sorted({*range(products)} - {product for _, product in timed})
        ticks = [_tick(random, second, at, p, mids, numbers) for at, p in sorted(timed)]
        yield ticks + [_beat(second, p, mids[p]) for p in silent]


def _poisson(random: Random, mean: float) -> int:
    count, left = 0, random.expovariate(1.0)
    while left < mean:
        count, left = count + 1, left + random.expovariate(1.0)
    return count


def _tick(
    random: Random, second: int, at: int, product: int, mids: list[float], numbers: list[int]
) -> bytes:
    mids[product] *= 1 + random.gauss(0, 2e-5)
    numbers[product] += 1
    mid, time_us = mids[product], second * 1_000_000 + at
    tick = Tick(
        feed="f",
        product_id=f"P{product}-USD",
        dialect="advanced",
        time_us=time_us,
        received_us=time_us,
        price=mid,
        bid=mid - 0.005,
        ask=mid + 0.005,
        bid_size=round(random.random(), 8),
        ask_size=round(random.random() + 1e-3, 8),
        trade_id=numbers[product],
    )
    return encode(tick)


def _beat(second: int, product: int, mid: float) -> bytes:
    time_us = second * 1_000_000 + 999_999
    beat = Beat(
        feed="f",
        product_id=f"P{product}-USD",
        dialect="advanced",
        time_us=time_us,
        received_us=time_us,
        bid=mid - 0.005,
        ask=mid + 0.005,
    )
    return encode(beat)


def measure(products: int, seconds: int) -> dict[str, Any]:
    """Run bytes to bytes; return counts, CPU by second and what the lag comes to."""
    engine, took, events, rows, written = FeatureEngine(), list[float](), list[int](), 0, 0
    for lines in market(products, seconds):
        began = time.process_time()
        for line in lines:
            row = engine.update(decode(line))
            if row is not None:
                rows += 1
                written += len(encode_row(row))
        took.append(time.process_time() - began)
        events.append(len(lines))
    late = sorted(lags(took))
    return {
        "products": products,
        "events": sum(events),
        "rows": rows,
        "busiest second": max(events),
        "bytes a row": written / rows,
        "µs an event": sum(took[60:]) / sum(events[60:]) * 1e6,
        "share of a core": sum(took) / seconds,
        "busiest second, share": max(took[60:]),
        "lag p99, ms": quantile(late, 0.99) * 1e3,
        "lag most, ms": late[-1] * 1e3,
    }


def lags(took: list[float]) -> Iterator[float]:
    """Give how far behind each second ends: its own work and what was left over, beyond it.

    >>> list(lags([0.5, 1.5, 0.75]))
    [0.0, 0.5, 0.25]
    """
    left = 0.0
    for seconds in took:
        left = max(left + seconds - 1.0, 0.0)
        yield left


def table(found: list[dict[str, Any]]) -> Table:
    """Put runs beside each other."""
    lines = tuple(
        (
            str(run["products"]),
            f"{run['events']:,}",
            f"{run['rows']:,}",
            f"{run['busiest second']:,}",
            f"{run['µs an event']:.1f}",
            f"{run['share of a core']:.1%}",
            f"{run['busiest second, share']:.1%}",
            f"{run['lag most, ms']:.0f}",
        )
        for run in found
    )
    about = (
        "Ticks and Beats as bytes of the topic to rows as bytes, one engine on one core, no"
        " broker: each product by its rank, ten seconds of a minute at six times its usual rate."
    )
    columns = (
        *("products", "events", "rows", "most in a second", "µs an event"),
        *("of a core", "in the busiest second", "largest lag, ms"),
    )
    return Table("All products at once", about, columns, lines)


def main() -> int:
    """Measure, write the result and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=400)
    parser.add_argument("--minutes", type=int, default=6)
    options = parser.parse_args()
    counts = sorted({1, options.products // 10, options.products})
    found = [measure(count, options.minutes * 60) for count in counts if count]
    where = machine(("msgspec",))
    sys.stdout.write(f"{write(Result('scale', where, (table(found),), {'runs': found}))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

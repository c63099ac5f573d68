"""What so many products at so many ticks a second need, from unit costs measured here.

    python benchmarks/sizing.py [--speed 60] [--seconds 20]

The demo is run with more ticks than it keeps up with here, so that batches are large; what each
process then uses for a prediction is its unit cost. Writes ``benchmarks/results/sizing.json``.
"""

import argparse
import sys
import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, exp
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import Result, Table, machine, write
from benchmarks.pipeline import run
from benchmarks.scale import BURST, market, rates
from featurizer.engine import FeatureEngine
from ingestor.tick import decode

PARTITIONS: Final = 12
"""Of each topic as it is installed: so many replicas at most share its products."""
BUSY: Final = 0.5
"""Share of a core that a replica may use in a burst; above it waits grow without bound."""
BYTES: Final = 1_981
"""On the broker's disk for a tick, all topics together: ``docs/architecture.md``."""
BEAT_BYTES: Final = 371
"""A Beat is in ``ticks`` alone, but for one in ten."""
DAYS: Final = 30
SHARED: Final = ("featurizer", "scorer")
"""Whose replicas share the products of a release, by partition."""
SINGLE: Final = ("ingestor", "monitor")
"""Of which a release has one; what is too much for it is a release of its own products."""
BEATEN: Final = ("ingestor", "featurizer", "broker")
STAGES: Final = (*SINGLE, *SHARED, "mlserver", "broker")
MARKETS: Final = ((1, 20.0), (10, 60.0), (40, 90.0), (400, 160.0), (400, 1_600.0))
"""Products and usual ticks a second; the last is ten times the exchange."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one tick takes of each process (CPU seconds), and one product of an engine (bytes)."""

    cpu: Mapping[str, float]
    memory: Mapping[str, float]
    product_bytes: float


def product_bytes(products: int = 20, seconds: int = 400) -> float:
    """Return what the engine keeps of a product, once its windows are full."""
    engine = FeatureEngine()
    tracemalloc.start()
    for lines in market(products, seconds):
        for line in lines:
            engine.restore(decode(line))
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept / products


def replicas(cores: float) -> int:
    """Return how many processes stay below ``BUSY`` of a core.

    >>> replicas(0.6)
    2
    """
    return max(1, ceil(cores / BUSY))


def beats(products: int, rate: float) -> float:
    """Return in how many products a second brings no tick, where each is a Beat instead."""
    by_rank = rates(products)
    return sum(exp(-each * rate / sum(by_rank)) for each in by_rank)


def cores(unit: Unit, products: int, rate: float) -> dict[str, float]:
    """Return what each process uses; a Beat costs as a tick does up to its row."""
    silent = beats(products, rate)
    return {name: unit.cpu[name] * (rate + (silent if name in BEATEN else 0.0)) for name in STAGES}


def line(unit: Unit, products: int, rate: float) -> tuple[str, ...]:
    """Return the row of the table for one market."""
    usual, burst = cores(unit, products, rate), cores(unit, products, rate * BURST)
    releases = max(replicas(burst[name]) for name in SINGLE)
    counts = {name: replicas(burst[name] / releases) for name in SHARED}
    memory = sum(unit.memory[name] * counts.get(name, 1) for name in STAGES) * releases
    memory += products * unit.product_bytes / 1e6
    return (
        f"{products}",
        f"{rate:,.0f} / {rate * BURST:,.0f}",
        f"{releases}",
        ", ".join(f"{name} {count}" for name, count in counts.items()),
        f"{max(PARTITIONS, *counts.values())}",
        f"{sum(usual.values()):.1f} / {sum(burst.values()):.1f}",
        f"{memory / 1_000:.1f}",
        f"{(rate * BYTES + beats(products, rate) * BEAT_BYTES) * 86_400 * DAYS / 1e9:,.0f}",
    )


def tables(unit: Unit) -> tuple[Table, Table]:
    """Return the unit costs, and what follows from them."""
    costs = tuple(
        (name, f"{unit.cpu[name] * 1e6:,.0f}", f"{unit.memory[name]:.0f}") for name in STAGES
    )
    about = (
        "µs of CPU a tick in large batches, and MB of memory; of a product the engine keeps"
        f" {unit.product_bytes / 1e3:.0f} kB."
    )
    columns = (
        *("products", "ticks/s, usual / burst", "releases", "replicas in each", "partitions"),
        *("cores, usual / burst", "GB of memory", f"GB of disk, {DAYS} days"),
    )
    plan = (
        f"Computed from these: bursts of {BURST:g} times the usual, replicas at most half busy in"
        f" one, {BYTES} bytes a tick on the broker's disk, copies not counted; in each second a"
        " product without a tick has a Beat."
    )
    sizes = tuple(line(unit, *each) for each in MARKETS)
    return (
        Table("Unit costs at full speed", about, ("process", "µs", "MB"), costs),
        Table("Sizing", plan, columns, sizes),
    )


def main() -> int:
    """Measure, write the result and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    summary, used = run(options.speed, options.seconds, whole=True)
    cpu = {name: spent / summary["predictions"] for name, (spent, _) in used.items()}
    unit = Unit(cpu, {name: memory for name, (_, memory) in used.items()}, product_bytes())
    where = machine(("kafka-python", "mlserver"))
    figures = {"predictions": summary["predictions"], "cpu": cpu, "bytes": unit.product_bytes}
    sys.stdout.write(f"{write(Result('sizing', where, tables(unit), figures))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

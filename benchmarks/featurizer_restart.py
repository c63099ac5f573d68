"""Time until the featurizer has read back one partition: ticks, minutes, and a week of levels.

    python benchmarks/featurizer_restart.py [--products 1] [--rate 100]

Ticks of so many products, with so many events a second together, and the records that a week and
a day leave of each, are written to an embedded broker. Then a partition is read back as at a
start. With 12 partitions a replica alone takes twelve times as long, one of four three times.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from featurizer.engine import FeatureEngine
from featurizer.history import KafkaHistory, rebuild
from featurizer.level.histogram import Cells
from featurizer.level.records import Bin, Closed, Day, Minute, encode
from ingestor.tick import Tick
from ingestor.tick import encode as encode_event
from ingestor.topics import LEVELS, MINUTES, TICKS
from local.broker import Broker
from plumbing.kafka import KafkaSettings, Partition, Producer, ensure_topics
from plumbing.tracing.trace import child_of

NOW: Final = 1_790_000_000
"""The epoch second at which the featurizer starts."""
DAYS: Final = 8
TICK_SECONDS: Final = 700
US: Final = 1_000_000


class _Alone:
    """A topic of one partition."""

    partitions, retention_ms, compacted = 1, -1, False

    def __init__(self, name: str) -> None:
        self.name = name


def cells(random: Random, n: int) -> Cells:
    """Return counts as of a lively product: in some fifty cells."""
    found = dict[int, int]()
    for _ in range(n):
        cell = round(random.gauss(400, 15))
        found[cell] = found.get(cell, 0) + 1
    return tuple(sorted(found.items()))


def closed(product: str, random: Random) -> Iterator[Closed]:
    """Return what a product's run of eight days has published, minutes of two hours only."""
    named = {"feed": "coinbase", "product_id": product, "run_us": (NOW - DAYS * 86_400) * US}
    few, many = cells(random, 60), cells(random, 600)
    for bin_ in range(NOW // 600 - DAYS * 144, NOW // 600):
        yield Bin(**named, start_us=bin_ * 600 * US, cells=many)
        if bin_ % 144 == 143:
            yield Day(**named, start_us=bin_ // 144 * 86_400 * US, cells=many)
    for minute in range(NOW // 60 - 120, NOW // 60):
        yield Minute(**named, start_us=minute * 60 * US, cells=few, n=60, squares=1e-6)


def ticks(products: list[str], rate: float) -> Iterator[Tick]:
    """Return the events of the last minutes, one product after the other."""
    random, count = Random(7), round(rate * TICK_SECONDS)
    for number in range(count):
        time_us = (NOW - TICK_SECONDS) * US + round(number / rate * US)
        mid = 100 + random.gauss(0, 0.01)
        yield Tick(
            feed="coinbase",
            product_id=products[number % len(products)],
            dialect="advanced",
            time_us=time_us,
            received_us=time_us,
            price=mid,
            bid=mid - 0.01,
            ask=mid + 0.01,
            bid_size=1.0,
            ask_size=2.0,
        )


def fill(settings: KafkaSettings, products: list[str], rate: float) -> int:
    """Write all topics, and give the number of ticks."""
    ensure_topics(settings, [_Alone(topic.name) for topic in (TICKS, MINUTES, LEVELS)])
    producer, count = Producer(settings, linger_ms=100), 0
    headers = {"traceparent": child_of(None)}
    runs = [list(closed(product, Random(product))) for product in products]
    for record in sorted((r for run in runs for r in run), key=lambda r: r.start_us):
        topic = MINUTES if isinstance(record, Minute) else LEVELS
        producer.send(topic.name, record.product_id, encode(record), headers)
    for count, tick in enumerate(ticks(products, rate), start=1):  # noqa: B007
        producer.send(TICKS.name, tick.product_id, encode_event(tick), headers)
    producer.flush()
    producer.close()
    return count


def main() -> int:
    """Print how long the reading took, and of what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=1)
    parser.add_argument("--rate", type=float, default=100.0, help="events a second together")
    options = parser.parse_args()
    products = [f"P{number}-USD" for number in range(options.products)]
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        position = fill(settings, products, options.rate)
        for _ in range(3):
            began, cpu, engine = time.monotonic(), time.process_time(), FeatureEngine()
            history = KafkaHistory(settings)
            done = rebuild(engine, history, Partition(TICKS.name, 0), position, began + 600)
            history.close()
            run = engine.levels.of(products[0])
            sys.stdout.write(
                f"{options.products} products, {options.rate:g} events/s: {done.records} ticks in"
                f" {time.monotonic() - began:.1f} s, {time.process_time() - cpu:.1f} s of CPU;"
                f" {run.level.status if run else 'no level'}\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

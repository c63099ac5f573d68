"""``python -m local.audit``: counts by content what a run left in the topics, as JSON.

It needs a broker (``KAFKA_…``), topics of one run and, where the featurizer has them, its
``FEATURIZER_SEEDS``; 0 if nothing is missing and nothing differs.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ingestor.instant import SECOND_US
from ingestor.topics import FEATURES, PREDICTIONS, TICKS
from local.content import Content
from plumbing.kafka import KafkaSettings, Partition, Reader
from simulator.market import frames
from simulator.volatility import MOODS

TOPICS: Final = (TICKS.name, FEATURES.name, PREDICTIONS.name)
LOOK_SECONDS: Final = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, print the report, and say by the exit code whether all is whole."""
    parser = argparse.ArgumentParser(prog="python -m local.audit", description=__doc__)
    parser.add_argument("--length", type=int, help="of the generated market, seconds")
    parser.add_argument("--seed", type=int, default=7, help="its seed")
    parser.add_argument("--volatility", default=MOODS, help="how its volatility moves")
    parser.add_argument("--products", default="BTC-USD,ETH-USD", help="its products")
    parser.add_argument("--start", default="2024-01-01T00:00:00", help="its start, UTC")
    parser.add_argument("--digest", help="of the model that made the predictions; else any")
    parser.add_argument(
        "--across", action="store_true", help="a release of before wrote some of it"
    )
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for the rest")
    options = parser.parse_args(arguments)
    report = audit(KafkaSettings(), content_of(options), options.timeout)
    print(json.dumps(report, indent=2))
    return 0 if report["whole"] else 1


def content_of(options: argparse.Namespace) -> Content:
    """Return what counts; without a length it is not known which ticks there should be."""
    seeds, across = os.environ.get("FEATURIZER_SEEDS", ""), options.across
    if options.length is None:
        return Content(None, options.digest, seeds, across=across)
    start = datetime.fromisoformat(options.start).replace(tzinfo=UTC)
    products = [name.strip() for name in options.products.split(",")]
    start_us = int(start.timestamp()) * SECOND_US
    market = frames(options.seed, products, start_us, options.length, volatility=options.volatility)
    return Content(market, options.digest, seeds, across=across)


def audit(
    kafka: KafkaSettings,
    content: Content,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Read the topics until all is whole, or for so many seconds and return the last report."""
    reader = Reader(kafka, TOPICS)
    until, seen = clock() + timeout, dict[Partition, int]()
    try:
        while True:
            _read(reader, content, seen, until, clock)
            report = content.report()
            if report["whole"] or clock() > until:
                return report
    finally:
        reader.close()


def _read(
    reader: Reader,
    content: Content,
    seen: dict[Partition, int],
    until: float,
    clock: Callable[[], float],
) -> None:
    """Take what comes up to the ends as they are now, and what comes within a moment."""
    ends, quiet = reader.ends(), clock() + LOOK_SECONDS
    while clock() < quiet or any(seen.get(p, 0) < end for p, end in ends.items()):
        for record in reader.poll(0.2):
            content.take(record.topic, b"" if record.flaw else record.value)
            seen[Partition(record.topic, record.partition)] = record.offset + 1
        if clock() > until + LOOK_SECONDS:
            return


if __name__ == "__main__":
    sys.exit(main())

"""Bytes that a tick takes on the broker's log, by codec and by records a batch.

    python benchmarks/kafka_size.py [--ticks 500]

Ticks and feature rows of a generated market are written to an embedded broker, one batch at a
time, as the services do at the rate of a live feed (one record a batch) and when busy (ten).
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from featurizer.engine import FeatureEngine
from featurizer.row import encode as encode_row
from ingestor.continuity import events
from ingestor.tick import Tick
from ingestor.tick import encode as encode_event
from local.broker import Broker
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from simulator.market import frames

CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
BATCHES: Final = (1, 10)
START_US: Final = 1_790_000_000_000_000


class _Topic:
    """A topic of one partition."""

    partitions, retention_ms, compacted = 1, -1, False

    def __init__(self, name: str) -> None:
        self.name = name


def records(ticks: int) -> dict[str, list[bytes]]:
    """Return so many ticks, and the rows that the featurizer makes of them."""
    engine, made = FeatureEngine(), dict[str, list[bytes]](ticks=[], features=[])
    market = events(frames(7, ("BTC-USD",), START_US, 7_200), "generated")
    for event in islice((each for each in market if isinstance(each, Tick)), ticks):
        made["ticks"].append(encode_event(event))
        row = engine.update(event)
        if row is not None:
            made["features"].append(encode_row(row))
    return made


def write(settings: KafkaSettings, topic: str, values: Iterable[bytes], batch: int) -> None:
    """Write records with the headers that ours have, so many a batch."""
    now = str(START_US)
    producer = Producer(settings, linger_ms=0 if batch == 1 else 100)
    for at, value in enumerate(values, start=1):
        headers = {"received_us": now, "featurized_us": now}
        producer.send(topic, "BTC-USD", value, headers)
        if at % batch == 0:
            producer.flush()
    producer.flush()
    producer.close()


def main() -> int:
    """Print a table: bytes a record of each topic, by codec and batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=500)
    made = records(parser.parse_args().ticks)
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        sys.stdout.write(
            "| codec | records a batch | bytes a tick | bytes a row |\n|---|---|---|---|\n"
        )
        for codec in CODECS:
            for batch in BATCHES:
                at = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, compression=codec)
                sizes = []
                for kind, values in made.items():
                    topic = f"{kind}-{codec}-{batch}"
                    ensure_topics(at, [_Topic(topic)])
                    write(at, topic, values, batch)
                    logs = (Path(folder) / "data" / f"{topic}-0").glob("*.log")
                    sizes.append(sum(log.stat().st_size for log in logs) / len(values))
                sys.stdout.write(f"| {codec} | {batch} | {sizes[0]:.0f} | {sizes[1]:.0f} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

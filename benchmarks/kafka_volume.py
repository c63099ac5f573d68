"""How full a broker's log becomes when far more is written than may stay.

    python benchmarks/kafka_volume.py [--volume 1Gi] [--times 3] [--partitions 1]

Bytes that no codec can pack are written to ``ticks``, so many times its share of the volume, on
an embedded broker whose topics were bounded as ``python -m ingestor topics`` bounds them. The log
is measured meanwhile with its indexes, without and with dropped segments that still wait to be
removed: at this rate several, at a feed's one at most.
"""

import argparse
import os
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

from ingestor.topics import TICKS, TOPICS, bounds, most_bytes
from local import broker as embedded
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from plumbing.kafka.inspection import Cluster

RECORD: Final = 64_000
EVERY_SECONDS: Final = 0.2


def on_disk(folder: Path) -> tuple[int, int]:
    """Return the bytes that the files of ``ticks`` take, holes left out; then with dropped ones."""
    standing = dropped = 0
    for path in folder.glob(f"{TICKS.name}-*/*"):
        try:
            size = path.stat().st_blocks * 512
        except FileNotFoundError:  # removed meanwhile
            continue
        if path.suffix == ".deleted":
            dropped += size
        else:
            standing += size
    return standing, standing + dropped


def main() -> int:
    """Print the share of ``ticks``, what was written, and the most that stood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volume", default="1Gi")
    parser.add_argument("--times", type=float, default=3.0)
    parser.add_argument("--partitions", type=int, default=1)
    options = parser.parse_args()
    plain = embedded.properties
    # Every 5 minutes by default, and a minute until a file goes: at the rate of a feed no matter,
    # at the rate of this benchmark all of it.
    quick = "\nlog.retention.check.interval.ms=200\nlog.segment.delete.delay.ms=200\n"
    embedded.properties = lambda *args: plain(*args) + quick
    used = {topic.name: min(options.partitions, topic.partitions) for topic in TOPICS}
    with tempfile.TemporaryDirectory() as folder, embedded.Broker(Path(folder)) as broker:
        at = KafkaSettings(
            bootstrap_servers=broker.bootstrap_servers, volume=options.volume, compression="none"
        )
        ensure_topics(at, TOPICS)
        limits = bounds(at.volume_bytes or 0, used)
        with closing(Cluster(at)) as cluster:
            cluster.bound(limits)
        share = most_bytes({TICKS.name: limits[TICKS.name]}, used)
        most, over = [0, 0], threading.Event()

        def watch() -> None:
            while not over.wait(EVERY_SECONDS):
                most[:] = map(max, most, on_disk(Path(folder) / "data"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        count = int(options.times * share / RECORD)
        producer = Producer(at)
        for number in range(count):
            producer.send(TICKS.name, str(number % options.partitions), os.urandom(RECORD))
            if number % 50 == 49:
                producer.flush()
        producer.flush()
        producer.close()
        over.set()
        watcher.join()
        sys.stdout.write(
            f"share of ticks {share / 2**20:.0f} MiB, written {count * RECORD / 2**20:.0f} MiB,"
            f" most that stood {most[0] / 2**20:.0f} MiB ({most[0] / share:.2f} of the share),"
            f" with dropped segments {most[1] / 2**20:.0f} MiB\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

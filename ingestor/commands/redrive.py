"""Repaired letters into recordings, for replay and training; never into the live topic."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from ingestor.commands.repair import Repairs, repairs
from ingestor.recordings.recorder import line
from ingestor.topics import DEAD_LETTERS
from plumbing.kafka import KafkaSettings, Partition, Reader, Record

POLL_SECONDS: Final = 1.0
PATIENCE: Final = 30
"""So many polls may bring nothing before the end that the broker named."""


class Letters(Protocol):
    """What is used of ``plumbing.kafka.Reader``; it begins at the first record kept."""

    def ends(self) -> Mapping[Partition, int]:
        """Return the offset that the next record of each partition will have."""

    def position(self, partition: Partition) -> int:
        """Return the offset that is read next."""

    def poll(self, timeout: float) -> list[Record]:
        """Return the next records."""


def redrive(settings: KafkaSettings, folder: Path) -> Repairs:
    """Read ``dead-letters`` to its end and write what is accepted now, a recording a feed.

    Raises:
        TopicError, OSError: the topic or the folder is not there; or kafka-python's own errors.
        TimeoutError: the broker gives no more, before the end that it named.
    """
    with closing(Reader(settings, [DEAD_LETTERS.name])) as reader:
        found = repairs(record.value for record in records(reader))
    write(found, folder)
    return found


def records(letters: Letters) -> Iterator[Record]:
    """Give all records up to the end of now.

    Raises:
        TimeoutError: the broker gives no more, before the end that it named.
    """
    ends, idle = letters.ends(), 0
    while any(letters.position(partition) < end for partition, end in ends.items()):
        polled = letters.poll(POLL_SECONDS)
        idle = 0 if polled else idle + 1
        if idle >= PATIENCE:
            raise TimeoutError(f"found nothing more of {DEAD_LETTERS.name}, expected up to {ends}")
        yield from polled


def write(found: Repairs, folder: Path) -> list[Path]:
    """Write a recording a feed, whole or not at all; one of before is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for feed in sorted(found.frames):
        path = folder / f"redriven_{quote(feed, safe='')}.ndjson.gz"
        part = path.with_suffix(".part")
        lines = [line(frame.data, frame.received_us) for frame in found.ordered(feed)]
        part.write_bytes(gzip.compress(b"".join(lines), mtime=0))
        part.replace(path)
        written.append(path)
    return written

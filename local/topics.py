"""Reading the pipeline's topics from outside: how full they are, and all that a run put there."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from kafka.errors import KafkaError  # type: ignore[import-untyped]

from ingestor.topics import DEAD_LETTERS, FEATURES, OUTCOMES, PREDICTIONS, TICKS
from local.summary import Tally
from plumbing.kafka import KafkaSettings, Partition, Reader

TOPICS: Final = tuple(t.name for t in (TICKS, FEATURES, PREDICTIONS, OUTCOMES, DEAD_LETTERS))
READERS: Final = {"featurizer": TICKS.name, "scorer": FEATURES.name}
"""Groups that commit what they have passed on, and what they read."""
READ_SECONDS: Final = 120.0

Over = Callable[[], bool]


class Topics:
    """Everything that comes after the moment it is made; ``over`` ends any waiting."""

    def __init__(self, kafka: KafkaSettings, over: Over) -> None:
        self._over = over
        self._reader = Reader(kafka, TOPICS)
        self._starts = self._reader.ends()
        self._groups = {name: Reader(kafka, [topic], group=name) for name, topic in READERS.items()}

    def close(self) -> None:
        """Close the connections."""
        for reader in (self._reader, *self._groups.values()):
            reader.close()

    def counts(self) -> dict[str, int]:
        """Return the number of records in each topic since the start."""
        found = dict.fromkeys(TOPICS, 0)
        for partition, end in self._reader.ends().items():
            found[partition.topic] += end - self._starts[partition]
        return found

    def drain(self, seconds: float, quiet: float = 2.0, without: Collection[str] = ()) -> bool:
        """Wait until all was worked on and nothing came for ``quiet`` seconds; false if never.

        Services in ``without`` are dead: nobody waits for them.
        """
        groups = [reader for name, reader in self._groups.items() if name not in without]
        deadline = time.monotonic() + seconds
        last, since = self.counts(), time.monotonic()
        while time.monotonic() < deadline and not self._over():
            time.sleep(0.2)
            now = self.counts()
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since >= quiet and not any(map(self._behind, groups)):
                return True
        return False

    def tally(self) -> Tally:
        """Read and count all that came since the start."""
        ends = self._reader.ends()
        at = {p: self._starts[p] for p, end in ends.items() if end > self._starts[p]}
        self._reader.assign(list(at))
        for partition, start in at.items():
            self._reader.seek(partition, start)
        found = Tally()
        deadline = time.monotonic() + READ_SECONDS
        while any(at[p] < ends[p] for p in at) and time.monotonic() < deadline:
            if self._over():
                break
            for record in self._reader.poll(0.5):
                partition = Partition(record.topic, record.partition)
                if record.offset < ends[partition]:
                    value = b"" if record.flaw else record.value
                    found.take(record.topic, value, record.timestamp_ms)
                    at[partition] = record.offset + 1
        found.unread = sum(ends[p] - offset for p, offset in at.items())
        return found

    def _behind(self, group: Reader) -> bool:
        """True if a group has not committed all of its topic."""
        ends = group.ends()
        return any(
            (group.committed(partition) or 0) < end
            for partition, end in ends.items()
            if end > self._starts[partition]
        )


class Watch:
    """Counts and rates (records per second) by topic, renewed in a thread of its own.

    A broker that does not answer makes them stand still and blocks nobody.
    """

    def __init__(self, topics: Topics, every: float = 0.5) -> None:
        self.counts: Mapping[str, int] = dict.fromkeys(TOPICS, 0)
        self.rates: Mapping[str, float] = {}
        self._topics, self._every = topics, every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Let go of the topics; false if the broker holds the thread for longer."""
        self._stopped.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        before = time.monotonic()
        while not self._stopped.wait(self._every):
            try:
                counts = self._topics.counts()
            except KafkaError:
                continue
            now = time.monotonic()
            self.rates = {
                name: (count - self.counts[name]) / (now - before) for name, count in counts.items()
            }
            self.counts, before = counts, now

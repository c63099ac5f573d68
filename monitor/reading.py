"""Reading topics backwards: positions are found by content, never by time.

Event times may be months old and run backwards between feeds, so that neither
``offsets_for_times`` nor a bisection on event time could find them.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from featurizer.row import key_of
from featurizer.slots import MICROSECONDS
from ingestor import tick
from ingestor.tick import Beat, Event, Tick
from plumbing.kafka import Partition, PassedOver, Record
from scorer.prediction import Prediction

CHUNK: Final = 2_000
"""Records fetched at once when going back: about what one fetch answer (1 MiB) holds."""
TAIL: Final = 20_000
"""Records looked through in each partition for the latest prediction of its products: of one
that nobody trades it stands far behind those of the others."""
SILENT_SECONDS: Final = 10.0
"""A broker that gives nothing of a range for so long has failed; a part is never taken for all."""
PAST_MS: Final = 2_000
"""An outcome is appended after its prediction; brokers' clocks may differ by so much."""
REPEATS: Final = 100
"""So many older events in a row are no repeats: all before them is older too."""
CLOCKS_US: Final = 3_600 * MICROSECONDS
"""How far ``received_us`` of neighbours in a topic may differ, after outages and clock steps."""


class LogReader(Protocol):
    """What is used of ``plumbing.kafka.Reader``."""

    def partitions(self) -> list[Partition]: ...
    def beginnings(self) -> dict[Partition, int]: ...
    def ends(self) -> dict[Partition, int]: ...
    def assign(self, partitions: Sequence[Partition]) -> None: ...
    def seek(self, partition: Partition, offset: int) -> None: ...
    def poll(self, timeout: float) -> list[Record]: ...
    def position(self, partition: Partition) -> int: ...
    def close(self) -> None: ...


class GroupReader(LogReader, Protocol):
    """A reader whose group keeps positions."""

    def committed(self, partition: Partition) -> int | None: ...
    def commit(self, positions: Mapping[Partition, int]) -> bool: ...
    def compare(self, partition: Partition, offset: int, begin: int, end: int) -> None: ...


def of_topic(partitions: Iterable[Partition], topic: str) -> list[Partition]:
    """Return the partitions of one topic, in order."""
    return sorted((p for p in partitions if p.topic == topic), key=lambda p: p.number)


class Reopened:
    """A reader for several threads, one at a time: opened on first use, anew after a failure.

    ``with held as reader: …`` waits for at most ``wait`` seconds, then raises ``TimeoutError``.
    """

    def __init__(self, open_reader: Callable[[], LogReader], wait: float = 5.0) -> None:
        self._open, self._wait = open_reader, wait
        self._lock = threading.Lock()
        self._reader: LogReader | None = None

    def __enter__(self) -> LogReader:
        if not self._lock.acquire(timeout=self._wait):
            raise TimeoutError(
                f"the reader was not free within {self._wait} s: other queries are being answered"
            )
        try:
            self._reader = self._reader or self._open()
        except BaseException:
            self._lock.release()
            raise
        return self._reader

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                self._drop()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def read(
    reader: LogReader,
    partition: Partition,
    start: int,
    stop: int,
    clock: Callable[[], float] = time.monotonic,
) -> list[Record]:
    """Read the records with ``start`` ≤ offset < ``stop`` of one partition, all of them.

    Raises:
        TimeoutError: nothing came for ``SILENT_SECONDS`` before the end of the range.
    """
    if start >= stop:
        return []
    reader.assign([partition])
    reader.seek(partition, start)
    found: list[Record] = []
    heard, reached = clock(), start
    while reached < stop:
        batch = reader.poll(0.2)
        found.extend(record for record in batch if start <= record.offset < stop)
        # The last offsets of a range may hold no records: the position passes them, too.
        before, reached = reached, reader.position(partition)
        if reached > before:
            heard = clock()
        elif clock() - heard >= SILENT_SECONDS:
            raise TimeoutError(
                f"{partition.topic}[{partition.number}]: found nothing at offset {reached}"
                f" for {SILENT_SECONDS:g} s, expected records up to {stop}"
            )
    return found


def backwards(
    reader: LogReader, partition: Partition, begin: int, end: int, chunk: int = CHUNK
) -> Iterator[Record]:
    """Return records with ``begin`` ≤ offset < ``end``, newest first, as far as is asked for."""
    stop = end
    while stop > begin:
        start = max(begin, stop - chunk)
        yield from reversed(read(reader, partition, start, stop))
        stop = start


def forwards(
    reader: LogReader, partition: Partition, begin: int, end: int, chunk: int = CHUNK
) -> Iterator[Record]:
    """Return records with ``begin`` ≤ offset < ``end``, oldest first, as far as is asked for."""
    for start in range(begin, end, chunk):
        yield from read(reader, partition, start, min(end, start + chunk))


def first_since(
    reader: LogReader, partition: Partition, begin: int, end: int, timestamp_ms: int
) -> int:
    """Find the first record appended at or after a time; append times only grow in a partition."""
    while begin < end:
        middle = (begin + end) // 2
        met = read(reader, partition, middle, middle + 1)
        if met and met[0].timestamp_ms < timestamp_ms:
            begin = middle + 1
        else:
            end = middle
    return begin


@dataclass(slots=True)
class _Search:
    """Looks for the ticks of one product's predictions, newest first.

    ``floor`` is the second before the oldest one found, ``older`` how many events in a row
    stood below it: a few may be repeats, standing later than what they repeat.
    """

    keys: set[tuple[str, int, int]] = field(default_factory=set)
    oldest_us: int = 2**63 - 1
    feed: str = ""
    floor: int | None = None
    older: int = 0

    def want(self, prediction: Prediction) -> None:
        self.keys.add((prediction.feed, prediction.time_us, prediction.trade_id))
        self.oldest_us = min(self.oldest_us, prediction.received_us - CLOCKS_US)

    def meet(self, event: Event) -> bool:
        """Take the next older event; True if reading must start at it or before."""
        second = event.time_us // MICROSECONDS
        if self.floor is not None and event.feed != self.feed:
            self.floor = None
        if isinstance(event, Tick | Beat) and self._found(event):
            self.feed = event.feed
            self.floor = second - 1 if self.floor is None else min(self.floor, second - 1)
        if event.received_us < self.oldest_us:
            self.keys.clear()
        if self.floor is None:
            return False
        self.older = 0 if second >= self.floor else self.older + 1
        if self.older >= REPEATS:
            self.floor = None
        return self.older == 0

    @property
    def over(self) -> bool:
        return not self.keys and self.floor is None

    def _found(self, event: Tick | Beat) -> bool:
        key = (event.feed, *key_of(event))
        there = key in self.keys
        self.keys.discard(key)
        return there


def start_for(events: Iterable[tuple[int, Event]], predictions: Iterable[Prediction]) -> int | None:
    """Find where ``ticks`` must be read from to settle these predictions.

    ``events`` are (offset, event) of one partition, newest first, taken as far as is needed:
    for each prediction its own tick, then back to the second before it, stopping at another
    feed. None if no tick of theirs stands there.
    """
    searches: dict[str, _Search] = {}
    for prediction in predictions:
        searches.setdefault(prediction.product_id, _Search()).want(prediction)
    start: int | None = None
    for offset, event in events:
        search = searches.get(event.product_id)
        if search is None:
            continue
        if search.meet(event):
            start = offset
        elif search.over:
            del searches[event.product_id]
            if not searches:
                break
    return start


def events_of(records: Iterable[Record]) -> Iterator[tuple[int, Event]]:
    """Read the events of ``ticks``, passing over what cannot be read."""
    for record, event in PassedOver("monitor, looking back").read(records, tick.decode):
        yield record.offset, event

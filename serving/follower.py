"""Follows the topic ``control`` in a thread of its own, for the adapter and the scorer."""

import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from ingestor.topics import CONTROL
from plumbing.kafka import KafkaSettings, Partition, Reader, Record, Worker, always, ensure_topics
from plumbing.logs import get_logger
from plumbing.stop import Stop
from serving.control import KEY, Serving

POLL_SECONDS: Final = 0.5
CHECK_SECONDS: Final = 5.0
"""How often the broker is asked whether it is still there: reading does not tell."""
SILENT_SECONDS: Final = 10.0


class ControlReader(Protocol):
    """What is needed of ``plumbing.kafka.Reader``."""

    def beginnings(self) -> dict[Partition, int]: ...
    def ends(self) -> dict[Partition, int]: ...
    def poll(self, timeout: float) -> list[Record]: ...
    def close(self) -> None: ...


def open_control(settings: KafkaSettings) -> Reader:
    """Return a reader of ``control`` from its beginning; makes the topic if it is missing."""
    ensure_topics(settings, [CONTROL])
    return Reader(settings, [CONTROL.name])


class Follower:
    """Keeps a ``Serving`` as the topic says; with the broker away the last variant stays.

    ``connected``: the broker answered last time. ``settled``: all that stood in the topic at
    the start was read, or reading it failed, so that the variant is the best one known.
    """

    def __init__(
        self,
        serving: Serving,
        open_reader: Callable[[], ControlReader],
        *,
        check_seconds: float = CHECK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.serving = serving
        self._failed = False
        self._stop = Stop()
        self._worker = Worker(
            "control",
            lambda: Session(serving, open_reader(), check_seconds, clock, self._stop),
            self._stop,
            failed=self._lost,
            passing=always,
        )

    @property
    def connected(self) -> bool:
        """True while the topic is followed."""
        return self._worker.rebuilt

    @property
    def settled(self) -> bool:
        """True once the variant is the best one known."""
        return self._failed or self.connected

    @property
    def state(self) -> str:
        """Return ``starting``, ``followed`` or ``away``."""
        if not self.settled:
            return "starting"
        return "followed" if self.connected else "away"

    def start(self) -> "Follower":
        """Follow from now on."""
        self._worker.start()
        return self

    def stop(self) -> None:
        """End the thread; waits for it at most 2 s, as the broker may be away."""
        self._worker.end(2.0)

    def _lost(self) -> None:
        self._failed = True


class Session:
    """One stretch of following: what stands in the topic, then what comes."""

    def __init__(
        self,
        serving: Serving,
        reader: ControlReader,
        check_seconds: float,
        clock: Callable[[], float],
        stop: Stop,
    ) -> None:
        self._serving, self._reader, self._stop = serving, reader, stop
        self._check_seconds, self._clock = check_seconds, clock
        self._checked = 0.0
        self.ready = False

    def step(self) -> None:
        """Take what has come."""
        if not self.ready:
            self._catch_up(self._reader)
            self._checked = self._clock()
            self.ready = True
        for record in self._reader.poll(POLL_SECONDS):
            self._take(record)
        if self._clock() - self._checked >= self._check_seconds:
            self._reader.ends()  # raises when the broker is away
            self._checked = self._clock()

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()

    def _catch_up(self, reader: ControlReader) -> None:
        """Take only the last of what stands there: after a reconnect no switch of long ago."""
        unread, found = standing(reader), list[Record]()
        heard = self._clock()  # compaction may have taken what stood at the end
        while unread and not self._stop.requested and self._clock() - heard < SILENT_SECONDS:
            for record in reader.poll(POLL_SECONDS):
                found.append(record)
                read_to(unread, record)
                heard = self._clock()
        for record in reversed(found):
            if self._take(record):
                break

    def _take(self, record: Record) -> bool:
        """Follow a record; false if it does not say who serves."""
        try:
            if record.flaw:
                raise msgspec.DecodeError(record.flaw)
            changed = self._serving.take(record.key, record.value)
        except msgspec.DecodeError as exc:
            get_logger().error("control.unreadable", reason=str(exc), keeps=self._serving.variant)
            return False
        if changed:
            by = self._serving.last.changed_by if self._serving.last else "tombstone"
            get_logger().info("control.switched", variant=self._serving.variant, by=by)
        return record.key == KEY


def standing(reader: ControlReader) -> dict[Partition, int]:
    """Return the partitions that hold records now, each with the offset at which they end."""
    begins = reader.beginnings()
    return {place: end for place, end in reader.ends().items() if begins.get(place, 0) < end}


def read_to(unread: dict[Partition, int], record: Record) -> None:
    """Take a partition out of ``unread`` once its last record has been seen."""
    place = Partition(record.topic, record.partition)
    if record.offset + 1 >= unread.get(place, 0):
        unread.pop(place, None)

"""A producer in memory that fails, blocks and remembers as it is told."""

import threading
from collections.abc import Mapping

from ingestor.tick import Event, decode


class Broken(Exception):
    """What a producer raises that cannot deliver."""


class Memory:
    """Keeps what was acknowledged, in order, with the number of the flush that did it.

    ``failures`` flushes fail first; while ``closed`` is set, flushing waits.
    """

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.gate = threading.Event()
        self.gate.set()
        self.stored: list[tuple[str, str, bytes]] = []
        self.headers: list[Mapping[str, str]] = []
        self.flushes: list[list[str]] = []
        self.opened = 0
        self.closed = 0
        self._pending: list[tuple[str, str, bytes]] = []

    def open(self) -> "Memory":
        self.opened += 1
        self._pending = []
        return self

    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> None:
        self._pending.append((topic, key, value))
        self.headers.append(headers)

    def flush(self) -> None:
        self.gate.wait(60)
        pending, self._pending = self._pending, []
        if self.failures:
            self.failures -= 1
            raise Broken("no acknowledgement")
        self.stored += pending
        self.flushes.append([value.decode() for _, _, value in pending])

    def close(self) -> None:
        self.closed += 1

    def topic(self, name: str) -> list[bytes]:
        return [value for topic, _, value in list(self.stored) if topic == name]

    def events(self) -> list[Event]:
        return [decode(value) for value in self.topic("ticks")]

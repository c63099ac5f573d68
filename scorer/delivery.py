"""Publishing a batch until the broker has it all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from plumbing.kafka import DeliveryError
from plumbing.logs import get_logger
from scorer.metrics import Metrics

MOST_DELIVERIES: Final = 5
"""Kafka's own producer tries for two minutes each time."""


class Publisher(Protocol):
    """What is needed of ``plumbing.kafka.Producer``."""

    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that goes out."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]


class Delivery:
    """Sends and flushes; after a failure with a new producer, as the old one may be done for.

    ``wait`` waits for so many seconds and says whether the end is wished for.
    """

    def __init__(
        self,
        open_producer: Callable[[], Publisher],
        metrics: Metrics,
        *,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._metrics, self._wait, self._clock = open_producer, metrics, wait, clock
        self._producer: Publisher | None = None

    def deliver(self, letters: Sequence[Letter]) -> None:
        """Send until all is acknowledged; a repeat carries equal ids.

        Raises:
            DeliveryError: not acknowledged after ``MOST_DELIVERIES`` times, or not before the
                end. Nothing may be committed: whoever reads next reads the rows again.
        """
        started = self._clock()
        for attempt in range(1, MOST_DELIVERIES + 1):
            try:
                self._send(letters)
                break
            except DeliveryError as exc:
                self._metrics.undelivered.inc()
                get_logger().error("predictions.undelivered", attempt=attempt, reason=str(exc))
                self.close()
                if attempt == MOST_DELIVERIES or self._wait(attempt):
                    raise
        self._metrics.publishing.observe(self._clock() - started)

    def close(self) -> None:
        """Close the producer; the next delivery opens another."""
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def _send(self, letters: Sequence[Letter]) -> None:
        producer = self._opened()
        for letter in letters:
            producer.send(letter.topic, letter.key, letter.value, letter.headers)
        producer.flush()

    def _opened(self) -> Publisher:
        if self._producer is None:
            try:
                self._producer = self._open()
            except Exception as exc:  # whatever the client raises with the broker away
                raise DeliveryError(f"found no broker for a producer: {exc!r}") from exc
        return self._producer

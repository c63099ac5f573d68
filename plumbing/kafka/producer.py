"""Publishing: idempotent, acknowledged, every delivery checked."""

import contextlib
import threading
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from kafka import KafkaProducer  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from plumbing.kafka.opening import opened
from plumbing.settings import BOOTSTRAP_TIMEOUT_MS, KafkaSettings

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
ANSWER_SECONDS: Final = 30.0
MOST_PENDING: Final = 10_000


class DeliveryError(Exception):
    """A record was not acknowledged by the broker; the producer may be done for: make another."""


class Producer:
    """Idempotent and acknowledged by all replicas; may be used from several threads."""

    def __init__(self, settings: KafkaSettings, *, linger_ms: int = 0) -> None:
        self._prefix = settings.topic_prefix
        self._lock = threading.Lock()
        self._pending: deque[tuple[str, Any]] = deque()
        self._failed: list[str] = []
        self._raw = opened(
            KafkaProducer,
            **settings.client(),
            acks="all",
            enable_idempotence=True,
            linger_ms=linger_ms,
            compression_type=None if settings.compression == "none" else settings.compression,
            bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
        )

    def send(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Hand one record over; blocks for at most a minute while the buffer is full.

        Raises:
            DeliveryError: the buffer stayed full, or the record can never be sent.
        """
        pairs = [(name, text.encode()) for name, text in headers.items()]
        try:
            future = self._raw.send(
                self._prefix + topic, key=key.encode(), value=value, headers=pairs
            )
        except KafkaError as exc:
            raise DeliveryError(f"{topic}: not taken by the producer: {exc!r}") from exc
        with self._lock:
            self._pending.append((topic, future))
            if len(self._pending) > MOST_PENDING:
                self._sift()

    def flush(self) -> None:
        """Wait until all is acknowledged.

        Raises:
            DeliveryError: at least one record since the last flush was not; says how many.
        """
        with contextlib.suppress(KafkaError):  # the futures tell, also after a batch was split
            self._raw.flush()
        with self._lock:
            waiting, self._pending = self._pending, deque()
            failed, self._failed = self._failed, []
        failed += [reason for entry in waiting if (reason := _failure(*entry))]
        if failed:
            raise DeliveryError(f"{len(failed)} records not acknowledged, first {failed[0]}")

    def close(self) -> None:
        """Send what is left for at most five seconds, then close."""
        self._raw.close(timeout=5)

    def _sift(self) -> None:
        """Forget the acknowledged ones among the oldest, remember the failures."""
        while self._pending and self._pending[0][1].is_done:
            if reason := _failure(*self._pending.popleft()):
                self._failed.append(reason)


def _failure(topic: str, future: Any) -> str | None:
    try:
        future.get(timeout=ANSWER_SECONDS)
    except KafkaError as exc:
        return f"{topic}: {exc!r}"
    return None

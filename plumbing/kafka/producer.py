"""Publishing: idempotent, acknowledged, every delivery checked."""

import contextlib
import threading
from collections import deque
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from kafka import KafkaProducer  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    TopicAuthorizationFailedError,
)

from plumbing.kafka.dictionary_topic import NAME as DICTIONARIES
from plumbing.kafka.dictionary_topic import dictionaries_of
from plumbing.kafka.opening import opened
from plumbing.kafka.packing import Packer
from plumbing.logs import get_logger
from plumbing.settings import BOOTSTRAP_TIMEOUT_MS, KafkaSettings

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
ANSWER_SECONDS: Final = 30.0
MOST_PENDING: Final = 10_000


class DeliveryError(Exception):
    """A record was not acknowledged by the broker; the producer may be done for: make another."""


class Producer:
    """Idempotent and acknowledged by all replicas; may be used from several threads.

    Records of the topics ``packed`` are packed by dictionaries, where these topics may be.
    """

    def __init__(
        self, settings: KafkaSettings, *, linger_ms: int = 0, packed: Collection[str] = ()
    ) -> None:
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
        try:
            self._packer = self._packing(settings, packed)
        except BaseException:
            self._raw.close(timeout=0)
            raise

    def send(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Hand one record over; blocks for at most a minute while the buffer is full.

        Raises:
            DeliveryError: the buffer stayed full, or the record can never be sent.
        """
        if self._packer is not None:
            value, headers = self._packer.pack(topic, value, headers)
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

    def _packing(self, settings: KafkaSettings, topics: Collection[str]) -> Packer | None:
        if not topics or settings.dictionaries == "off":
            return None
        try:
            found = dictionaries_of(settings).packed(topics, self._keep)
        except TopicAuthorizationFailedError as exc:
            get_logger().warning("topics.not_packed", reason=repr(exc))
            return None
        return Packer(found, self._keep_of)

    def _keep_of(self, topic: str, dictionary: bytes, number: int) -> None:
        self._keep(f"{topic}/{number}".encode(), dictionary)

    def _keep(self, key: bytes, value: bytes) -> None:
        """Publish a record of ``dictionaries``, and wait until every reader can have it."""
        future = self._raw.send(self._prefix + DICTIONARIES, key=key, value=value)
        future.get(timeout=ANSWER_SECONDS)

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

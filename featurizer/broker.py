"""How the featurizer reaches Kafka: what it needs of each client, and the real ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from featurizer.config import FeaturizerSettings
from featurizer.history import History, KafkaHistory
from ingestor.topics import DEAD_LETTERS, FEATURES, TICKS
from plumbing.kafka import (
    GroupConsumer,
    KafkaSettings,
    Partition,
    Producer,
    Record,
    ensure_topics,
)

LINGER_MS: Final = 20  # a batch goes out at its flush; only one that takes longer goes in parts

Moved = Callable[[Sequence[Partition]], None]


class Consumer(Protocol):
    """A member of the group that reads ``ticks``."""

    @property
    def joined(self) -> bool: ...
    def poll(self, timeout: float) -> list[Record]: ...
    def position(self, partition: Partition) -> int: ...
    def commit(self, positions: Mapping[Partition, int] | None = None) -> None: ...
    def close(self) -> None: ...


class Sink(Protocol):
    """Where rows and dead letters go."""

    def send(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, str] = ...
    ) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Broker:
    """How the broker is reached; each call opens a connection of its own."""

    consumer: Callable[[Moved, Moved], Consumer]
    sink: Callable[[], Sink]
    history: Callable[[], History]


def kafka_broker(settings: FeaturizerSettings, kafka: KafkaSettings) -> Broker:
    """Return the real broker, whose topics exist from here on."""

    def consumer(assigned: Moved, revoked: Moved) -> Consumer:
        ensure_topics(kafka, (TICKS, FEATURES, DEAD_LETTERS))
        return GroupConsumer(
            kafka,
            [TICKS.name],
            settings.group,
            on_assigned=assigned,
            on_revoked=revoked,
            fetch_max_wait_ms=settings.fetch_max_wait_ms,
        )

    return Broker(
        consumer=consumer,
        sink=lambda: Producer(kafka, linger_ms=LINGER_MS),
        history=lambda: KafkaHistory(kafka),
    )

"""Partitions and records as our side of the port sees them: without the prefix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import TopicPartition  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a topic; the name is without prefix."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record; ``timestamp_ms`` is when the broker appended it, a null ``value`` is b""."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: str
    value: bytes
    headers: Mapping[str, str]


class Names:
    """Partitions and records with the prefix taken off, partitions with it put on."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def out(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._prefix + partition.topic, partition.number)

    def back(self, raw: TopicPartition) -> Partition:
        return Partition(raw.topic.removeprefix(self._prefix), raw.partition)

    def records(self, polled: Mapping[TopicPartition, Sequence[Any]]) -> list[Record]:
        return [
            Record(
                topic=raw.topic.removeprefix(self._prefix),
                partition=raw.partition,
                offset=raw.offset,
                timestamp_ms=raw.timestamp,
                key=raw.key.decode() if raw.key else "",
                value=raw.value or b"",
                headers={name: text.decode() for name, text in raw.headers},
            )
            for batch in polled.values()
            for raw in batch
        ]

"""Partitions and records as our side of the port sees them: without the prefix."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from kafka import TopicPartition  # type: ignore[import-untyped]

from plumbing.kafka.dictionary import NotUnpacked, Unpacker
from plumbing.logs import get_logger

_M = TypeVar("_M")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a topic; the name is without prefix."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record; ``timestamp_ms`` is when the broker appended it, a null ``value`` is b"".

    Key and headers are bytes to Kafka, text to us: where they are none, ``flaw`` says what was
    found, and the rest of them is there. A null header is left out.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: str
    value: bytes
    headers: Mapping[str, str]
    flaw: str = ""


def message_of(record: Record, decode: Callable[[bytes], _M]) -> _M:
    """Return the message that a record of any topic holds.

    Raises:
        msgspec.DecodeError: there is none; says what was found and what was expected.
    """
    if record.flaw:
        raise msgspec.DecodeError(record.flaw)
    if not record.value:
        raise msgspec.DecodeError("found no value, expected JSON")
    return decode(record.value)


class PassedOver:
    """Counts by topic the records that somebody cannot read, and tells of each topic's first.

    It is for those who read what another one commits: that one has made a dead letter of it.
    """

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self.counts: Counter[str] = Counter()

    def read(
        self, records: Iterable[Record], decode: Callable[[bytes], _M]
    ) -> Iterator[tuple[Record, _M]]:
        """Yield records with their messages, passing over those that have none."""
        for record in records:
            message = self.message(record, decode)
            if message is not None:
                yield record, message

    def message(self, record: Record, decode: Callable[[bytes], _M]) -> _M | None:
        """Return the message of a record, None for one that is passed over."""
        try:
            return message_of(record, decode)
        except msgspec.DecodeError as exc:
            self.note(record, exc)
            return None

    def tell(self) -> None:
        """Log at the end how many were passed over, if any."""
        if self.counts:
            get_logger().warning(
                "records.passed_over", reader=self._reader, counts=dict(self.counts)
            )

    def note(self, record: Record, reason: object) -> None:
        """Count a record that was passed over."""
        self.counts[record.topic] += 1
        if self.counts[record.topic] == 1:
            get_logger().warning(
                "records.passed_over",
                reader=self._reader,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=str(reason)[:500],
            )


class Names:
    """Partitions and records with the prefix taken off, partitions with it put on.

    ``find`` knows the dictionaries of packed values by number.
    """

    def __init__(self, prefix: str, find: Callable[[int], bytes | None] = lambda _: None) -> None:
        self._prefix, self._unpacker = prefix, Unpacker(find)

    def out(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._prefix + partition.topic, partition.number)

    def back(self, raw: TopicPartition) -> Partition:
        return Partition(raw.topic.removeprefix(self._prefix), raw.partition)

    def records(self, polled: Mapping[TopicPartition, Sequence[Any]]) -> list[Record]:
        return [self._record(raw) for batch in polled.values() for raw in batch]

    def _record(self, raw: Any) -> Record:
        flaws: list[str] = []
        named = {str(name): _text(f"header {name}", data, flaws) for name, data in raw.headers}
        value, packed = self._unpacked(raw.value or b"", flaws)
        return Record(
            topic=raw.topic.removeprefix(self._prefix),
            partition=raw.partition,
            offset=raw.offset,
            timestamp_ms=raw.timestamp,
            key=_text("key", raw.key, flaws) or "",
            value=value,
            headers={name: text for name, text in named.items() if text is not None} | packed,
            flaw="; ".join(flaws),
        )

    def _unpacked(self, value: bytes, flaws: list[str]) -> tuple[bytes, dict[str, str]]:
        """Return value and headers as they were sent; what cannot be unpacked is a flaw."""
        try:
            return self._unpacker.unpack(value)
        except NotUnpacked as exc:
            flaws.append(f"packed value: {exc}")
            return value, {}


def _text(what: str, data: bytes | None, flaws: list[str]) -> str | None:
    """Return bytes as text, None where there is none; what is no UTF-8 is a flaw."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        flaws.append(f"{what}: found {data[:40]!r}, expected UTF-8")
        return None

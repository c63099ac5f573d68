"""Reading from positions of the reader's own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from kafka import (  # type: ignore[import-untyped]
    KafkaConsumer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from plumbing.kafka.dictionary_topic import dictionaries_of
from plumbing.kafka.offsets import CALL_TIMEOUT_MS, offsets_of
from plumbing.kafka.opening import opened
from plumbing.kafka.positions import Changed, Positions, unheard
from plumbing.kafka.records import Names, Partition, Record
from plumbing.kafka.topics import TopicError
from plumbing.logs import get_logger
from plumbing.settings import BOOTSTRAP_TIMEOUT_MS, KafkaSettings

SHORTEST_POLL_MS: Final = 10  # below it kafka-python spins, and with 1 ms never joins its group


def next_offset(offset: int) -> OffsetAndMetadata:
    """Return an offset to commit."""
    return OffsetAndMetadata(offset, "", -1)


def consuming(settings: KafkaSettings, fetch_max_wait_ms: int) -> dict[str, Any]:
    """Return what both kinds of consumer have in common, as kafka-python names it.

    A longer ``fetch_max_wait_ms`` costs no latency, as the broker answers at the first record
    (10, 100 and 300 ms: p95 10, 6 and 7 ms), and saves most of the idle CPU.
    """
    return {
        **settings.client(),
        "bootstrap_timeout_ms": BOOTSTRAP_TIMEOUT_MS,
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "fetch_min_bytes": 1,
        "fetch_max_wait_ms": fetch_max_wait_ms,
        "max_poll_records": 1_000,
        # A topic made anew is known by its id: at its old offsets nothing would come, for ever.
        "metadata_max_age_ms": 30_000,
        # A killed member's partitions are handed on after this long.
        "session_timeout_ms": 6_000,
        "heartbeat_interval_ms": 1_500,
    }


def position_of(consumer: KafkaConsumer, names: Names, partition: Partition) -> int:
    """Return the offset that the consumer reads next.

    Raises:
        TopicError: the broker did not say.
    """
    found = consumer.position(names.out(partition), timeout_ms=CALL_TIMEOUT_MS)
    if found is None:
        raise TopicError(f"no position of {partition} within {CALL_TIMEOUT_MS} ms")
    return int(found)


def bounds_of(
    consumer: KafkaConsumer,
    ask: Callable[..., dict[TopicPartition, int]],
    names: Names,
    partitions: Sequence[Partition],
    within_ms: int = CALL_TIMEOUT_MS,
) -> dict[Partition, int]:
    """Return the first or the next offsets of partitions, as ``offsets_of`` asks for them.

    Raises:
        KafkaTimeoutError: no answer within ``within_ms``.
    """
    found = offsets_of(consumer, ask, [names.out(p) for p in partitions], within_ms)
    return {names.back(raw): offset for raw, offset in found.items()}


def committed(
    consumer: KafkaConsumer,
    offsets: Mapping[TopicPartition, Any],
    within_ms: int = CALL_TIMEOUT_MS,
) -> bool:
    """Commit; where that fails nothing is lost, and the next commit covers it."""
    try:
        if offsets:
            consumer.commit(offsets, timeout_ms=within_ms)
    except (KafkaError, OSError) as exc:
        get_logger().warning("kafka.commit_failed", reason=repr(exc))
        return False
    return True


def identified(
    consumer: KafkaConsumer, names: Names, positions: Positions, topics: Iterable[str]
) -> None:
    """Compare the ids of the topics, as the broker told them last, with those of before.

    Raises:
        TopicChanged: one was made anew.
    """
    for topic in topics:
        name = names.out(Partition(topic, 0)).topic
        positions.identify(topic, consumer._cluster.topic_id(name))


class Reader:
    """Reads partitions of its own choice from positions of its own; one thread only.

    Starts at the beginning of all partitions of the topics; with ``group``, where that group
    committed last. No member of the group: it takes no part in rebalances.

    Raises:
        TopicError: a topic does not exist.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[str],
        *,
        group: str | None = None,
        changed: Changed = unheard,
        fetch_max_wait_ms: int = 100,
    ) -> None:
        self._names = Names(settings.topic_prefix, dictionaries_of(settings).find)
        self._topics = tuple(topics)
        self._positions = Positions(changed)
        group_id = None if group is None else settings.topic_prefix + group
        self._raw = opened(
            KafkaConsumer, **consuming(settings, fetch_max_wait_ms), group_id=group_id
        )
        try:
            self._partitions = [p for topic in topics for p in self._of(topic)]
        except TopicError:
            self._raw.close()
            raise
        self.assign(self._partitions)

    def partitions(self) -> list[Partition]:
        """Return all partitions of the topics, assigned or not."""
        return list(self._partitions)

    def beginnings(self) -> dict[Partition, int]:
        """Return the first offset still kept of each partition."""
        return bounds_of(self._raw, self._raw.beginning_offsets, self._names, self._partitions)

    def ends(self) -> dict[Partition, int]:
        """Return the offset that the next record of each partition will have."""
        return bounds_of(self._raw, self._raw.end_offsets, self._names, self._partitions)

    def assign(self, partitions: Sequence[Partition]) -> None:
        """Read these partitions from now on."""
        self._positions.forget(self._partitions)
        self._raw.assign([self._names.out(p) for p in partitions])

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from an offset; the partition must be assigned."""
        self._positions.stand(partition, offset)
        self._raw.seek(self._names.out(partition), offset)

    def poll(self, timeout: float) -> list[Record]:
        """Return the next records, or [] after ``timeout`` seconds.

        Raises:
            TopicChanged: a topic began anew.
        """
        timeout_ms = max(int(timeout * 1000), SHORTEST_POLL_MS)
        records = self._names.records(self._raw.poll(timeout_ms=timeout_ms))
        identified(self._raw, self._names, self._positions, self._topics)
        self._positions.see(records, lambda partition: self.beginnings()[partition])
        return records

    def compare(self, partition: Partition, offset: int, begin: int, end: int) -> None:
        """Say so where an offset, kept from an earlier time, is not from ``begin`` to ``end``."""
        self._positions.compare(partition, offset, begin, end)

    def position(self, partition: Partition) -> int:
        """Return the offset that is read next; the partition must be assigned."""
        return position_of(self._raw, self._names, partition)

    def committed(self, partition: Partition) -> int | None:
        """Return the offset the group committed last; needs ``group``."""
        found = self._raw.committed(self._names.out(partition), timeout_ms=CALL_TIMEOUT_MS)
        return None if found is None else int(found)

    def commit(self, positions: Mapping[Partition, int]) -> bool:
        """Commit next offsets for the group, false if that fails; needs ``group``."""
        offsets = {self._names.out(p): next_offset(offset) for p, offset in positions.items()}
        return committed(self._raw, offsets)

    def close(self) -> None:
        """Close the connections."""
        self._raw.close(autocommit=False, timeout_ms=3_000)

    def _of(self, topic: str) -> list[Partition]:
        numbers = self._raw.partitions_for_topic(self._names.out(Partition(topic, 0)).topic)
        if not numbers:
            raise TopicError(f"topic {topic!r} does not exist on the broker")
        return [Partition(topic, number) for number in sorted(numbers)]

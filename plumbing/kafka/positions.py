"""Where reading stands, and whether what comes goes on from there.

Kafka sets a reader whose offset is gone to the beginning, and says nothing of it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from plumbing.kafka.records import Partition, Record
from plumbing.kafka.topics import TopicError
from plumbing.logs import get_logger

Change = Literal["began_anew", "expired"]
CHANGES: Final[tuple[Change, ...]] = ("began_anew", "expired")

Changed = Callable[[Change], object]
"""Told of each partition that is not as it was."""


class TopicChanged(TopicError):
    """A topic began anew: what is known of it is no longer true. Begin anew as well."""


def unheard(change: Change) -> None:
    """Tell nobody."""


class Positions:
    """The next offset of each partition that is being read."""

    def __init__(self, changed: Changed = unheard) -> None:
        self._changed = changed
        self._next: dict[Partition, int] = {}
        self._ids: dict[str, object] = {}

    def stand(self, partition: Partition, offset: int) -> None:
        """Say that the next record is to have this offset."""
        self._next[partition] = offset

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Say that these are no longer read, or from anywhere."""
        for partition in partitions:
            self._next.pop(partition, None)

    def known(self) -> Mapping[Partition, int]:
        """Return the next offset of each partition."""
        return self._next

    def identify(self, topic: str, topic_id: object) -> None:
        """Take the id that the broker gave a topic when it was made; None: it is not known.

        Raises:
            TopicChanged: it is another than before.
        """
        before = topic_id if topic_id is None else self._ids.setdefault(topic, topic_id)
        if topic_id != before:
            self._changed("began_anew")
            get_logger().error(
                "topic.began_anew", topic=topic, expected=str(before), found=str(topic_id)
            )
            raise TopicChanged(f"{topic} began anew: found topic id {topic_id}, expected {before}")

    def see(self, records: Iterable[Record], beginning: Callable[[Partition], int]) -> None:
        """Follow the records that came; ``beginning`` gives the first offset still kept.

        Raises:
            TopicChanged: one stands before what was read already.
        """
        for record in records:
            at = Partition(record.topic, record.partition)
            expected = self._next.get(at)
            if expected is not None and record.offset != expected:
                self._jumped(at, expected, record.offset, beginning)
            self._next[at] = record.offset + 1

    def compare(self, partition: Partition, offset: int, begin: int, end: int) -> None:
        """Tell of a position, kept from an earlier time, that is not within the topic."""
        if offset > end:
            self._tell("began_anew", partition, offset, end)
        elif offset < begin:
            self._tell("expired", partition, offset, begin)

    def _jumped(
        self, at: Partition, expected: int, found: int, beginning: Callable[[Partition], int]
    ) -> None:
        if found < expected:
            self._tell("began_anew", at, expected, found)
            raise TopicChanged(
                f"{at.topic}[{at.number}] began anew: found offset {found}, expected {expected}"
            )
        if beginning(at) > expected:  # else offsets without records, as transactions leave them
            self._tell("expired", at, expected, found)

    def _tell(self, change: Change, at: Partition, expected: int, found: int) -> None:
        self._changed(change)
        get_logger().error(
            f"topic.{change}",
            topic=at.topic,
            partition=at.number,
            expected=expected,
            found=found,
        )

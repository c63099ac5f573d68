"""The topic that keeps dictionaries for ever: compacted, each under its topic and number.

A topic that may be packed has a mark beside them. Whoever writes first sets it for all of them:
to topics that already held records a release may be brought back that cannot unpack, so there it
takes a word of the operator.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from functools import cache
from typing import Final

from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import KafkaTimeoutError  # type: ignore[import-untyped]

from plumbing.kafka.offsets import OFFSETS_TRY_MS, offsets_of
from plumbing.kafka.opening import opened
from plumbing.logs import get_logger
from plumbing.settings import BOOTSTRAP_TIMEOUT_MS, KafkaSettings

NAME: Final = "dictionaries"
MARK: Final = b"packed"
READ_SECONDS: Final = 30.0
AGAIN_SECONDS: Final = 5.0
"""From one search for a dictionary that is not there to the next."""
MOST_MISSED: Final = 1_000
_POLL_MS: Final = 200


class Shelf:
    """What stands in the topic, as far as it was read: dictionaries by number and by topic."""

    def __init__(self) -> None:
        self.by_number: dict[int, bytes] = {}
        self.newest: dict[str, bytes | None] = {}

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take a record in its order; what is neither mark nor dictionary is passed over."""
        topic, _, number = (key or b"").decode(errors="replace").partition("/")
        if value and number.isdecimal():
            self.by_number[int(number)] = self.newest[topic] = value
        elif value == MARK:
            self.newest.setdefault(topic, None)


class DictionaryTopic:
    """Finds the dictionaries of one broker and prefix; may be used from several threads."""

    def __init__(
        self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._clock = settings, clock
        self._home = TopicPartition(settings.topic_prefix + NAME, 0)
        self._lock = threading.Lock()
        self._shelf = Shelf()
        self._missed: dict[int, float] = {}

    def find(self, number: int) -> bytes | None:
        """Return the dictionary of a number, None where there is none.

        Raises:
            KafkaError: the broker does not answer.
        """
        with self._lock:
            again = self._missed.get(number, 0.0)
            if number not in self._shelf.by_number and self._clock() >= again:
                with closing(self._consumer()) as consumer:
                    self._read(consumer)
                if len(self._missed) >= MOST_MISSED:
                    self._missed.clear()
                self._missed[number] = self._clock() + AGAIN_SECONDS
            return self._shelf.by_number.get(number)

    def packed(
        self, topics: Collection[str], put: Callable[[bytes, bytes], object]
    ) -> Mapping[str, bytes | None]:
        """Return those of the topics that may be packed, with their newest dictionary.

        ``put`` publishes a record of this topic, and returns once it is acknowledged.

        Raises:
            KafkaError: the broker does not answer.
        """
        with self._lock, closing(self._consumer()) as consumer:
            new = all(self._is_new(consumer, topic) for topic in topics)
            if not self._read(consumer):
                get_logger().warning("topics.not_packed", missing=self._home.topic)
                return {}
            newest = self._shelf.newest
            if new or self._settings.dictionaries == "on":
                for topic in [topic for topic in topics if topic not in newest]:
                    put(topic.encode(), MARK)
                    newest[topic] = None
            return {topic: newest[topic] for topic in topics if topic in newest}

    def _is_new(self, consumer: KafkaConsumer, topic: str) -> bool:
        """Say whether nobody ever wrote to a topic; asked before its mark is looked for."""
        name = self._settings.topic_prefix + topic
        homes = [TopicPartition(name, n) for n in consumer.partitions_for_topic(name) or ()]
        ends = offsets_of(consumer, consumer.end_offsets, homes) if homes else {}
        return bool(ends) and not any(ends.values())

    def _read(self, consumer: KafkaConsumer) -> bool:
        """Read the topic from its beginning to its end now; false where it does not exist."""
        self._shelf = shelf = Shelf()
        if not consumer.partitions_for_topic(self._home.topic):
            return False
        consumer.assign([self._home])
        [begin] = offsets_of(consumer, consumer.beginning_offsets, [self._home]).values()
        [end] = offsets_of(consumer, consumer.end_offsets, [self._home]).values()
        consumer.seek(self._home, begin)
        until = self._clock() + READ_SECONDS
        while (consumer.position(self._home, timeout_ms=OFFSETS_TRY_MS) or 0) < end:
            if self._clock() > until:
                raise KafkaTimeoutError(f"{self._home.topic} not read in {READ_SECONDS:g} s")
            for records in consumer.poll(timeout_ms=_POLL_MS).values():
                for record in records:
                    shelf.take(record.key, record.value)
        return True

    def _consumer(self) -> KafkaConsumer:
        return opened(
            KafkaConsumer,
            **self._settings.client(),
            bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
            allow_auto_create_topics=False,  # one made by the broker would not be compacted
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )


@cache
def dictionaries_of(settings: KafkaSettings) -> DictionaryTopic:
    """Return the one of these settings, so that all readers of a process share what was read."""
    return DictionaryTopic(settings)

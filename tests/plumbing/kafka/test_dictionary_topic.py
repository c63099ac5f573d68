"""Dictionaries on a real broker: who may pack, who reads, and what a release of before needs."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from kafka import KafkaConsumer, TopicPartition
from structlog.testing import capture_logs

from ingestor.topics import DICTIONARIES, PACKED, TICKS, TOPICS
from plumbing.kafka import (
    GroupConsumer,
    KafkaSettings,
    PassedOver,
    Producer,
    Reader,
    Record,
    ensure_topics,
)
from plumbing.kafka.dictionary import PACKED as PACKED_BYTE
from plumbing.kafka.dictionary_topic import AGAIN_SECONDS, NAME, DictionaryTopic, Shelf
from plumbing.kafka.packing import FIRST
from tests.plumbing.kafka.rows import rows_of
from tests.waiting import eventually

HEADERS = {"received_us": "1790000000000000"}
ROWS = rows_of(4 * FIRST)


@pytest.fixture
def settings(kafka_settings: KafkaSettings) -> KafkaSettings:
    """A broker with all topics, empty."""
    ensure_topics(kafka_settings, TOPICS)
    return kafka_settings.model_copy(update={"dictionaries": "auto"})


def publish(settings: KafkaSettings, rows: Sequence[bytes], *, learn: bool = False) -> None:
    """Publish rows to ``ticks``; with ``learn`` the last of them once there is a dictionary."""
    with closing(Producer(settings, packed=PACKED)) as producer:
        for row in rows[:-1]:
            producer.send(TICKS.name, "BTC-USD", row, HEADERS)
        producer.flush()
        if learn:
            eventually(lambda: newest(settings), "a dictionary")
            eventually(lambda: packs(producer), "its use")
        producer.send(TICKS.name, "BTC-USD", rows[-1], HEADERS)
        producer.flush()


def packs(producer: Producer) -> bool:
    """Whether the dictionary that was kept is in use."""
    packer = producer._packer
    return packer is not None and packer._trainings[TICKS.name].dictionary is not None


def newest(settings: KafkaSettings) -> bytes | None:
    """The newest dictionary of ``ticks``, as another process finds it."""
    found = DictionaryTopic(settings).packed((TICKS.name,), lambda key, value: None)
    return found.get(TICKS.name)


def read(settings: KafkaSettings, count: int) -> list[Record]:
    """So many records of ``ticks``, read by a process that knows no dictionary."""
    fresh = settings.model_copy(update={"compression": "none"})  # another key of the cache
    with closing(Reader(fresh, [TICKS.name])) as reader:
        found: list[Record] = []
        eventually(lambda: found.extend(reader.poll(0.2)) or len(found) >= count, "records")
        return found


def raw(settings: KafkaSettings) -> list[bytes]:
    """The values of ``ticks`` as they lie on the broker."""
    name = settings.topic_prefix + TICKS.name
    with closing(KafkaConsumer(bootstrap_servers=settings.bootstrap_servers)) as consumer:
        numbers = consumer.partitions_for_topic(name)
        homes = [TopicPartition(name, number) for number in numbers]
        consumer.assign(homes)
        consumer.seek_to_beginning(*homes)
        count, found = sum(consumer.end_offsets(homes).values()), list[bytes]()

        def whole() -> bool:
            for records in consumer.poll(timeout_ms=200).values():
                found.extend(record.value for record in records)
            return len(found) >= count

        eventually(whole, "values")
        return found


def test_records_are_packed_and_every_reader_has_them(settings: KafkaSettings) -> None:
    """A topic that was empty is packed from its first samples on; all comes back to the byte."""
    publish(settings, ROWS, learn=True)
    values = raw(settings)
    assert values[0] == ROWS[0] and values[-1].startswith(PACKED_BYTE)
    for found in (read(settings, len(ROWS)), list(group_records(settings, len(ROWS)))):
        assert [record.value for record in found] == ROWS
        assert all(record.headers == HEADERS and not record.flaw for record in found)


def group_records(settings: KafkaSettings, count: int) -> Iterator[Record]:
    """The records as a member of a group reads them."""
    with closing(GroupConsumer(settings, [TICKS.name], "readers")) as consumer:
        found: list[Record] = []
        eventually(lambda: found.extend(consumer.poll(0.2)) or len(found) >= count, "records")
        yield from found


def test_the_next_process_packs_its_first_record(settings: KafkaSettings) -> None:
    """By the dictionary that stands."""
    publish(settings, ROWS, learn=True)
    publish(settings, ROWS[:1])
    assert [value.startswith(PACKED_BYTE) for value in raw(settings)[-2:]] == [True, True]


def test_a_topic_that_held_records_is_left_as_the_release_of_before_reads_it(
    settings: KafkaSettings,
) -> None:
    """However much comes; one word packs it, and from then on it stays so."""
    with closing(Producer(settings)) as before:
        before.send(TICKS.name, "BTC-USD", ROWS[0], HEADERS)
        before.flush()
    publish(settings, ROWS)
    publish(settings, ROWS)
    assert not any(value.startswith(PACKED_BYTE) for value in raw(settings))
    publish(settings.model_copy(update={"dictionaries": "on"}), ROWS, learn=True)
    publish(settings, ROWS[:1])
    assert raw(settings)[-1].startswith(PACKED_BYTE)
    assert len(read(settings, 3 * len(ROWS) + 2)) == 3 * len(ROWS) + 2


def test_off_packs_nothing_and_reads_all(settings: KafkaSettings) -> None:
    """Also where a dictionary stands."""
    publish(settings, ROWS, learn=True)
    publish(settings.model_copy(update={"dictionaries": "off"}), ROWS[:1])
    assert raw(settings)[-1] == ROWS[0]


def test_without_the_topic_of_dictionaries_nothing_is_packed(
    kafka_settings: KafkaSettings,
) -> None:
    """It is not made by a look at it, as it would not be compacted; that is said."""
    ensure_topics(kafka_settings, [topic for topic in TOPICS if topic != DICTIONARIES])
    with capture_logs() as logs:
        publish(kafka_settings.model_copy(update={"dictionaries": "auto"}), ROWS)
    assert [log["event"] for log in logs if "packed" in log["event"]] == ["topics.not_packed"]
    ensure_topics(kafka_settings, [DICTIONARIES])
    assert newest(kafka_settings) is None
    assert not any(value.startswith(PACKED_BYTE) for value in raw(kafka_settings))


def test_a_record_whose_dictionary_is_gone_stops_nobody(settings: KafkaSettings) -> None:
    """It is named as what cannot be read; those around it come through."""
    publish(settings, ROWS, learn=True)
    lost = settings.model_copy(update={"topic_prefix": settings.topic_prefix + "other-"})
    ensure_topics(lost, TOPICS)
    with closing(Producer(lost)) as producer:
        for value in (ROWS[0], raw(settings)[-1], ROWS[1]):
            producer.send(TICKS.name, "BTC-USD", value)
        producer.flush()
    passed = PassedOver("a test")
    found = [message for _, message in passed.read(read(lost, 3), bytes)]
    assert found == ROWS[:2] and passed.counts == {TICKS.name: 1}


def test_what_is_not_there_is_looked_for_from_time_to_time(settings: KafkaSettings) -> None:
    """A topic full of such records makes no reading without end."""
    now = [100.0]
    looked: list[float] = []

    class Watched(DictionaryTopic):
        def _read(self, consumer: KafkaConsumer) -> bool:
            looked.append(now[0])
            return super()._read(consumer)

    topic = Watched(settings, lambda: now[0])
    for _ in range(5):
        assert topic.find(77_777) is None
    now[0] += AGAIN_SECONDS
    assert topic.find(77_777) is None
    assert looked == [100.0, 100.0 + AGAIN_SECONDS]


def test_a_shelf_passes_over_what_is_neither_mark_nor_dictionary() -> None:
    """Whatever others leave there; a mark never hides a dictionary."""
    shelf = Shelf()
    for key, value in [
        (b"ticks", b"packed"),
        (b"ticks/70000", b"one"),
        (b"ticks/70001", b"two"),
        (b"ticks", b"packed"),
        (b"features", b"packed"),
        (b"\xff\xfe", b"x"),
        (None, None),
        (b"ticks/70000", None),
        (b"outcomes/", b"packe"),
    ]:
        shelf.take(key, value)
    assert shelf.newest == {"ticks": b"two", "features": None}
    assert shelf.by_number == {70000: b"one", 70001: b"two"}


def test_the_topic_is_the_one_that_is_stated() -> None:
    """Kept for ever, compacted, of one order."""
    assert (DICTIONARIES.name, DICTIONARIES.compacted, DICTIONARIES.partitions) == (NAME, True, 1)

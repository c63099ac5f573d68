"""The port on a real Apache Kafka."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError
from structlog.testing import capture_logs

from plumbing.kafka import (
    DeliveryError,
    GroupConsumer,
    KafkaSettings,
    Partition,
    Producer,
    Reader,
    Record,
    TopicChanged,
    TopicError,
    ensure_topics,
)
from plumbing.kafka.inspection import Cluster
from tests.waiting import eventually, patience

pytestmark = pytest.mark.kafka

PATIENCE = patience(60.0)
"""Seconds that a test waits for what must come."""
THINGS = [Partition("things", 0), Partition("things", 1)]


@dataclass(frozen=True)
class _Topic:
    name: str
    partitions: int = 2
    retention_ms: int = 3_600_000
    compacted: bool = False


@pytest.fixture
def settings(kafka_settings: KafkaSettings) -> KafkaSettings:
    """A broker with the topic ``things`` of two partitions."""
    ensure_topics(kafka_settings, [_Topic("things")])
    return kafka_settings


@pytest.fixture
def producer(settings: KafkaSettings) -> Iterator[Producer]:
    """A producer that is closed in the end."""
    made = Producer(settings)
    yield made
    made.close()


def _collect(poll: Callable[[float], list[Record]], count: int) -> list[Record]:
    deadline = time.monotonic() + PATIENCE
    found: list[Record] = []
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} records, expected {count}"
        found += poll(0.2)
    return found


def _publish(producer: Producer, values: Sequence[str], key: str = "BTC-USD") -> None:
    for value in values:
        producer.send("things", key, value.encode())
    producer.flush()


def test_a_record_comes_back_as_it_was_sent(settings: KafkaSettings, producer: Producer) -> None:
    """Key, value, headers and topic survive, and the broker's append time is added."""
    before = time.time() * 1000
    producer.send("things", "BTC-USD", b"{}", {"traceparent": "00-1-2-01"})
    producer.flush()
    reader = Reader(settings, ["things"])
    (record,) = _collect(reader.poll, 1)
    reader.close()
    assert (record.topic, record.key, record.value) == ("things", "BTC-USD", b"{}")
    assert record.headers == {"traceparent": "00-1-2-01"}
    assert before - 1000 <= record.timestamp_ms <= time.time() * 1000 + 1000


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_codec_is_written_and_read(kafka_settings: KafkaSettings, codec: str) -> None:
    """By setting, and where the topic has the broker pack anew what comes."""
    settings = kafka_settings.model_copy(update={"compression": codec})
    own = "uncompressed" if codec == "none" else codec
    name = _made_by_others(kafka_settings, **{"compression.type": own})
    assert name.endswith("theirs")
    for writing in (settings, kafka_settings):
        with closing(Producer(writing)) as made:
            for number in range(10):
                made.send("theirs", "BTC-USD", b'{"n": %d}' % number)
            made.flush()
    with closing(Reader(kafka_settings, ["theirs"])) as reader:
        found = [record.value for record in _collect(reader.poll, 20)]
    assert found == [b'{"n": %d}' % number for number in range(10)] * 2


def test_prefixes_keep_pipelines_apart(settings: KafkaSettings, producer: Producer) -> None:
    """Another prefix on the same broker sees none of the records."""
    _publish(producer, ["a"])
    other = settings.model_copy(update={"topic_prefix": settings.topic_prefix + "other-"})
    ensure_topics(other, [_Topic("things")])
    reader = Reader(other, ["things"])
    assert set(reader.ends().values()) == {0}
    reader.close()


def test_topics_are_made_as_stated_and_only_once(kafka_settings: KafkaSettings) -> None:
    """Partitions, retention, clean-up and append time are set; a second call changes nothing."""
    topic = _Topic("made", partitions=3, retention_ms=7_200_000, compacted=True)
    ensure_topics(kafka_settings, [topic])
    ensure_topics(kafka_settings, [topic])
    name = kafka_settings.topic_prefix + "made"
    admin = KafkaAdminClient(**kafka_settings.client())
    try:
        (described,) = admin.describe_topics([name])
        configs = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    finally:
        admin.close()
    assert len(described["partitions"]) == 3
    text = str(configs)
    assert "LogAppendTime" in text and "7200000" in text and "compact" in text


def _made_by_others(settings: KafkaSettings, **configs: str) -> str:
    """A topic that somebody made first, their way; gives its name on the broker."""
    name = settings.topic_prefix + "theirs"
    with closing(KafkaAdminClient(**settings.client())) as admin:
        admin.create_topics(
            {name: {"num_partitions": 1, "replication_factor": 1, "configs": configs}}
        )
        admin.wait_for_topics([name], timeout_ms=int(PATIENCE * 1000))
    return name


def test_a_topic_that_forgets_what_it_must_keep_is_refused(kafka_settings: KafkaSettings) -> None:
    """It is named with what was found and how to alter it; it is not altered by us."""
    name = _made_by_others(kafka_settings, **{"retention.ms": "3600000"})
    for _ in range(2):
        with pytest.raises(TopicError, match=rf"{name}.*found cleanup.policy delete, expected"):
            ensure_topics(kafka_settings, [_Topic("theirs", retention_ms=-1, compacted=True)])


def test_a_topic_that_is_not_as_stated_is_told_once(kafka_settings: KafkaSettings) -> None:
    """It is used as it is."""
    name = _made_by_others(kafka_settings, **{"cleanup.policy": "compact", "retention.ms": "7"})
    with capture_logs() as logs:
        for _ in range(2):
            ensure_topics(kafka_settings, [_Topic("theirs")])
    [told] = [each for each in logs if each["event"] == "topic.not_as_stated"]
    assert (told["topic"], told["found"]) == (
        name,
        {"cleanup.policy": "compact", "retention.ms": "7"},
    )
    assert told["expected"] == {"cleanup.policy": "delete", "retention.ms": "3600000"}


def test_standing_topics_are_brought_to_their_bounds(kafka_settings: KafkaSettings) -> None:
    """What differs is set once; what does not stand is passed over; clean-up stays as it was."""
    _made_by_others(kafka_settings, **{"cleanup.policy": "compact", "retention.ms": "7"})
    limits = {"retention.ms": "3600000", "retention.bytes": "9000000", "segment.bytes": "1048576"}
    with closing(Cluster(kafka_settings)) as cluster:
        assert cluster.bound({"theirs": limits, "nowhere": limits}) == ["theirs"]
        eventually(lambda: cluster.bound({"theirs": limits}) == [])
    name = kafka_settings.topic_prefix + "theirs"
    with closing(KafkaAdminClient(**kafka_settings.client())) as admin:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name)]
        [found] = admin.describe_configs(asked, config_filter="all")["topic"].values()
    assert {key: found[key]["value"] for key in limits} == limits
    assert found["cleanup.policy"]["value"] == "compact"


def test_a_bound_that_the_broker_refuses_is_named(kafka_settings: KafkaSettings) -> None:
    """With the topic and the broker's own reason; the client itself would say nothing."""
    name = _made_by_others(kafka_settings)
    refused = pytest.raises(TopicError, match=rf"{name}.*expected .*segment.bytes")
    with closing(Cluster(kafka_settings)) as cluster, refused:
        cluster.bound({"theirs": {"segment.bytes": "1"}})


def test_a_topic_that_cannot_be_made_is_named(kafka_settings: KafkaSettings) -> None:
    """More replicas than brokers is an error that says which topic."""
    greedy = kafka_settings.model_copy(update={"replication_factor": 9})
    with pytest.raises(TopicError, match="greedy"):
        ensure_topics(greedy, [_Topic("greedy")])


def test_a_missing_topic_is_named(kafka_settings: KafkaSettings) -> None:
    """A reader of a topic that does not exist says so instead of waiting for ever."""
    with pytest.raises(TopicError, match="nowhere"):
        Reader(kafka_settings, ["nowhere"])


def test_flush_raises_when_a_record_was_refused(settings: KafkaSettings) -> None:
    """A record the broker refuses surfaces at the flush, with its topic."""
    admin = KafkaAdminClient(**settings.client())
    name = settings.topic_prefix + "narrow"
    admin.create_topics({name: {"configs": {"max.message.bytes": "200"}}}, wait_for_metadata=True)
    admin.close()
    producer = Producer(settings)
    try:
        producer.send("narrow", "k", b"fits")
        producer.send("narrow", "k", os.urandom(1_000))
        with pytest.raises(DeliveryError, match="not acknowledged, first narrow"):
            producer.flush()
    finally:
        producer.close()


def test_several_threads_may_send(settings: KafkaSettings, producer: Producer) -> None:
    """Records sent from several threads all arrive, once each."""
    threads = [
        threading.Thread(
            target=lambda n=n: [
                producer.send("things", f"k{n}", f"{n}-{i}".encode()) for i in range(50)
            ]
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    producer.flush()
    reader = Reader(settings, ["things"])
    values = [r.value for r in _collect(reader.poll, 200)]
    assert len(set(values)) == 200 and sum(reader.ends().values()) == 200
    reader.close()


def test_a_group_goes_on_from_its_commit(settings: KafkaSettings, producer: Producer) -> None:
    """What was committed is not read again by the next member; what was not, is."""
    _publish(producer, ["a", "b"])
    first = GroupConsumer(settings, ["things"], "group")
    _collect(first.poll, 2)
    first.commit()
    _publish(producer, ["c"])
    _collect(first.poll, 1)
    first.close()
    second = GroupConsumer(settings, ["things"], "group")
    assert [r.value for r in _collect(second.poll, 1)] == [b"c"]
    second.close()


def test_commits_are_put_together(settings: KafkaSettings, producer: Producer) -> None:
    """Within the time one is made, then the next poll makes another, and the end the last."""
    now = [100.0]
    member = GroupConsumer(settings, ["things"], "group", commit_seconds=5.0, clock=lambda: now[0])
    watcher = Reader(settings, ["things"], group="group")

    def committed() -> int:
        return sum(watcher.committed(p) or 0 for p in watcher.ends())

    def take(value: str) -> int:
        _publish(producer, [value])
        _collect(member.poll, 1)
        assert member.commit()
        return committed()

    assert [take("a"), take("b"), take("c")] == [1, 1, 1]
    now[0] += 4.9
    assert not member.poll(0.0) and committed() == 1
    now[0] += 0.1
    assert not member.poll(0.0) and committed() == 3
    assert take("d") == 3
    member.close()
    assert committed() == 4
    watcher.close()


def test_positions_are_known_when_partitions_arrive(
    settings: KafkaSettings, producer: Producer
) -> None:
    """``on_assigned`` runs before the first record and sees the position of that record."""
    _publish(producer, ["a", "b", "c"])
    seen: dict[Partition, int] = {}
    commits = GroupConsumer(settings, ["things"], "group")
    records = _collect(commits.poll, 3)
    home = Partition("things", records[0].partition)
    commits.commit({home: 1})
    commits.close()

    def note(partitions: Sequence[Partition]) -> None:
        seen.update({p: consumer.position(p) for p in partitions})

    consumer = GroupConsumer(settings, ["things"], "group", on_assigned=note)
    first = _collect(consumer.poll, 2)[0]
    consumer.close()
    assert seen[home] == first.offset == 1
    assert len(seen) == 2


def _with_a_second_member(
    settings: KafkaSettings, first: GroupConsumer, turn: Callable[[], object]
) -> None:
    """Let another join and take its share of THINGS while ``first`` does nothing but ``turn``."""
    deadline = time.monotonic() + PATIENCE
    stop = threading.Event()
    shares: list[list[Partition]] = []

    def other() -> None:
        second = GroupConsumer(settings, ["things"], "group")
        while not stop.is_set():
            second.poll(0.2)
            shares.append(second.assignment())
        second.close()

    def halves() -> list[list[Partition]]:
        return sorted([first.assignment(), shares[-1] if shares else []], key=str)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        while halves() != [[each] for each in THINGS]:
            assert time.monotonic() < deadline, f"no rebalance, found {halves()}"
            turn()
    finally:
        stop.set()
        thread.join()


def _joined(first: GroupConsumer) -> GroupConsumer:
    deadline = time.monotonic() + PATIENCE
    while not first.assignment():
        assert time.monotonic() < deadline, "the first has not joined"
        first.poll(0.2)
    return first


def test_a_second_member_takes_its_share(settings: KafkaSettings, producer: Producer) -> None:
    """With two members each has one partition, and the first is told what it lost."""
    lost: list[Partition] = []
    first = _joined(GroupConsumer(settings, ["things"], "group", on_revoked=lost.extend))
    _with_a_second_member(settings, first, lambda: first.poll(0.2))
    assert lost[:2] == THINGS
    first.commit(dict.fromkeys(THINGS, 0))
    first.close()


def test_a_member_that_stays_holds_up_nobody_and_loses_nothing(
    settings: KafkaSettings, producer: Producer
) -> None:
    """While it works on what it has, others join; what comes meanwhile is given out afterwards."""
    lost: list[Partition] = []
    first = _joined(GroupConsumer(settings, ["things"], "group", on_revoked=lost.extend))
    _with_a_second_member(settings, first, first.stay)
    assert lost == []
    for key in ("BTC-USD", "ETH-USD", "SOL-USD", "A", "B", "C"):
        _publish(producer, [f"{key} {number}" for number in range(300)], key)
    for _ in range(5):
        first.stay()
    found = [record.value for record in _collect(first.poll, 1_800)]
    assert len(set(found)) == 1_800
    assert lost[:2] == THINGS
    first.close()


def test_a_member_without_a_partition_has_joined_too(kafka_settings: KafkaSettings) -> None:
    """Nobody has joined before the group says so; then also the one for whom nothing is left."""
    ensure_topics(kafka_settings, [_Topic("one", partitions=1)])
    members = [GroupConsumer(kafka_settings, ["one"], "group") for _ in range(2)]
    assert [member.joined for member in members] == [False, False]
    shares: dict[int, int] = {}
    deadline = time.monotonic() + PATIENCE

    def settled() -> bool:
        return sorted(shares.values()) == [0, 1] or time.monotonic() > deadline

    def turn(number: int) -> None:
        while not settled():
            members[number].poll(0.2)
            if members[number].joined:
                shares[number] = len(members[number].assignment())

    threads = [threading.Thread(target=turn, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for member in members:
        member.close()
    assert sorted(shares.values()) == [0, 1]


def test_a_rejoin_that_outlasts_a_poll_is_taken_up_again(kafka_settings: KafkaSettings) -> None:
    """Partitions that show up after the joining are given out, however long the broker takes.

    kafka-python forgets such a join once the leader has assigned what it had missed.
    """
    consumer = GroupConsumer(kafka_settings, ["late"], "group")
    deadline = time.monotonic() + PATIENCE
    while not consumer.joined:
        assert time.monotonic() < deadline, "has not joined"
        consumer.poll(0.2)
    assert consumer.assignment() == []
    _make_joins_slow(consumer, seconds=0.5)
    ensure_topics(kafka_settings, [_Topic("late")])
    while len(consumer.assignment()) < 2:
        assert time.monotonic() < deadline, "the late partitions were not given out"
        consumer._raw._client.cluster.request_update()
        consumer.poll(0.05)
    consumer.close()


def _make_joins_slow(consumer: GroupConsumer, seconds: float) -> None:
    """Let the broker's answer to each joining come only after many polls."""
    coordinator = consumer._raw._coordinator
    join = coordinator._do_join_and_sync_async

    async def slow() -> bytes:
        assignment: bytes = await join()
        await coordinator._manager._net.sleep(seconds)
        return assignment

    coordinator._do_join_and_sync_async = slow


def test_a_reader_goes_where_it_is_told(settings: KafkaSettings, producer: Producer) -> None:
    """Seeking gives the records from there on; ends and beginnings bound them."""
    _publish(producer, ["a", "b", "c"])
    reader = Reader(settings, ["things"])
    home = Partition("things", _collect(reader.poll, 3)[0].partition)
    assert reader.partitions() == THINGS
    assert reader.beginnings()[home] == 0 and reader.ends()[home] == 3
    reader.assign([home])
    reader.seek(home, 2)
    assert [r.value for r in _collect(reader.poll, 1)] == [b"c"]
    reader.close()


def test_a_reader_may_commit_for_a_group(settings: KafkaSettings, producer: Producer) -> None:
    """With a group it keeps its positions on the broker, without being a member."""
    _publish(producer, ["a", "b"])
    reader = Reader(settings, ["things"], group="pages")
    home = Partition("things", _collect(reader.poll, 2)[0].partition)
    assert reader.committed(home) is None
    reader.commit({home: 1})
    reader.close()
    again = Reader(settings, ["things"], group="pages")
    assert again.committed(home) == 1
    assert [r.value for r in _collect(again.poll, 1)] == [b"b"]
    again.close()


def test_a_tombstone_is_an_empty_value(settings: KafkaSettings) -> None:
    """A null value reads as b"", never as None."""
    from kafka import KafkaProducer

    raw = KafkaProducer(**settings.client())
    raw.send(settings.topic_prefix + "things", key=b"k", value=None).get(timeout=PATIENCE)
    raw.close()
    reader = Reader(settings, ["things"])
    assert _collect(reader.poll, 1)[0].value == b""
    reader.close()


def test_a_topic_made_anew_is_noticed_by_who_reads_it(
    settings: KafkaSettings, producer: Producer
) -> None:
    """By a member of a group and by a reader of its own; both begin anew from its beginning."""
    _publish(producer, [str(number) for number in range(50)])
    told: list[str] = []
    group = GroupConsumer(settings, ["things"], "group", changed=told.append)
    reader = Reader(settings, ["things"], changed=told.append)
    _collect(group.poll, 50)
    _collect(reader.poll, 50)
    group.commit()
    with closing(KafkaAdminClient(**settings.client())) as admin:
        admin.delete_topics([settings.topic_prefix + "things"])
    _make_again(settings)
    with closing(Producer(settings)) as again:
        _publish(again, ["a", "b"])
    for one in (group, reader):
        with pytest.raises(TopicChanged, match="began anew"):
            _collect(one.poll, 1_000)
        one.close()
    assert told == ["began_anew"] * 2
    anew = GroupConsumer(settings, ["things"], "group")
    assert [record.value for record in _collect(anew.poll, 2)] == [b"a", b"b"]
    anew.close()


def _make_again(settings: KafkaSettings) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline, "the topic cannot be made again"
        try:
            ensure_topics(settings, [_Topic("things")])
            with closing(Reader(settings, ["things"])) as reader:
                if set(reader.ends().values()) == {0}:
                    return
        except (TopicError, KafkaError):
            continue

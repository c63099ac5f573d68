"""The Kafka exporter on a real Apache Kafka."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from ingestor.topics import FEATURES, TICKS, TOPICS, bounds
from monitor.kafka.metrics import KafkaMetrics
from monitor.kafka.service import watch
from plumbing.backoff import Backoff
from plumbing.kafka import (
    BrokerError,
    GroupConsumer,
    KafkaSettings,
    Producer,
    Worker,
    ensure_topics,
)
from plumbing.kafka.inspection import Cluster, Look
from plumbing.stop import Stop
from tests.ports import held_port
from tests.waiting import eventually, patience

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).resolve().parents[3]


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """One value, None where there is no such series."""
    return registry.get_sample_value(f"kafka_{name}", labels)


@pytest.fixture
def topics(kafka_settings: KafkaSettings) -> KafkaSettings:
    """A broker with our topics."""
    ensure_topics(kafka_settings, TOPICS)
    return kafka_settings


def send(settings: KafkaSettings, count: int, keys: Sequence[str] = ("BTC-USD",)) -> None:
    """Append so many ticks of each key."""
    producer = Producer(settings)
    for number in range(count):
        for key in keys:
            producer.send(TICKS.name, key, str(number).encode())
    producer.flush()
    producer.close()


def look(settings: KafkaSettings) -> Look:
    """Look once."""
    cluster = Cluster(settings)
    try:
        return cluster.look()
    finally:
        cluster.close()


def consumed(settings: KafkaSettings, count: int) -> GroupConsumer:
    """A member of the group ``featurizer`` that has committed so many records."""
    member = GroupConsumer(settings, [TICKS.name], "featurizer")
    read = 0

    def polled() -> bool:
        nonlocal read
        read += len(member.poll(0.2))
        return read >= count

    eventually(polled)
    member.commit()
    return member


def test_topics_are_counted_without_the_prefix(topics: KafkaSettings) -> None:
    """Partitions, records and bytes of each topic; another pipeline's are not ours."""
    ensure_topics(topics.model_copy(update={"topic_prefix": "other-"}), [FEATURES])
    send(topics, 7)
    found = look(topics)
    assert found.partitions == {topic.name: topic.partitions for topic in TOPICS}
    assert (found.ends[TICKS.name], found.ends[FEATURES.name]) == (7, 0)
    assert found.log_bytes[TICKS.name] > 0
    assert found.brokers >= 1
    assert (found.offline, found.under_replicated) == (0, 0)


def test_lag_is_what_a_group_has_not_committed(topics: KafkaSettings) -> None:
    """After a commit of five, three more records are a lag of three."""
    send(topics, 5)
    member = consumed(topics, 5)
    assert look(topics).lag == {("featurizer", TICKS.name): 0}
    send(topics, 3)
    found = look(topics)
    assert found.lag == {("featurizer", TICKS.name): 3}
    assert found.members == {"featurizer": 1}
    member.close()
    eventually(lambda: look(topics).members == {"featurizer": 0})


def test_a_group_that_never_committed_lags_by_all(topics: KafkaSettings) -> None:
    """A member that has committed nothing yet lags from the beginning on."""
    send(topics, 4)
    member = GroupConsumer(topics, [TICKS.name], "featurizer")
    eventually(lambda: member.poll(0.2))
    assert look(topics).lag == {("featurizer", TICKS.name): 4}
    member.close()


def watching(open_cluster: Callable[[], Cluster], metrics: KafkaMetrics) -> Worker:
    """What looks again and again, with a new connection after each failure."""
    return watch(open_cluster, metrics, Stop(), every_seconds=0.0, backoff=Backoff(0.5, draw=max))


def test_a_broker_away_leaves_no_old_numbers(topics: KafkaSettings) -> None:
    """After a failed look only ``kafka_up`` 0 and the time of the last good one are left."""
    registry = CollectorRegistry()
    metrics = KafkaMetrics(registry)
    assert (sample(registry, "up"), sample(registry, "brokers")) == (0.0, None)
    there = watching(lambda: Cluster(topics), metrics)
    assert there.turn() == 0.0 and there.rebuilt
    assert sample(registry, "up") == 1.0
    assert sample(registry, "topic_partitions", topic=TICKS.name) == TICKS.partitions

    def refused() -> Cluster:
        raise BrokerError("nobody listens")

    gone = watching(refused, metrics)
    assert gone.turn() > 0.0 and not gone.rebuilt
    assert sample(registry, "up") == 0.0
    assert (sample(registry, "last_look_timestamp_seconds") or 0.0) > 1e9
    assert sample(registry, "topic_partitions", topic=TICKS.name) is None
    assert sample(registry, "offline_partitions") is None
    there.close()


def test_topics_are_bounded_anew_when_another_partition_is_in_use(topics: KafkaSettings) -> None:
    """A share of the volume is divided among the partitions that hold something."""
    registry = CollectorRegistry()
    size = 10 * 2**30
    worker = watch(
        lambda: Cluster(topics),
        KafkaMetrics(registry, size),
        Stop(),
        every_seconds=0.0,
        volume_bytes=size,
    )

    def altered_by_a_look() -> set[str]:
        with capture_logs() as logs:
            worker.turn()
        return {name for each in logs if "altered" in each for name in each["altered"]}

    assert altered_by_a_look() == set(bounds(size, {}))
    eventually(lambda: not altered_by_a_look())
    send(topics, 3)
    assert look(topics).used[TICKS.name] == 1 and not altered_by_a_look()
    send(topics, 3, keys=("BTC-USD", "ETH-USD", "SOL-USD"))
    used = look(topics).used
    assert used[TICKS.name] > 1 and used[FEATURES.name] == 0
    eventually(lambda: altered_by_a_look() == {TICKS.name})
    worker.close()
    assert sample(registry, "volume_bytes") == size
    assert sample(registry, "topics_unbounded") == 0


def test_a_volume_too_small_is_told_by_a_metric(topics: KafkaSettings) -> None:
    """The looks go on."""
    registry, size = CollectorRegistry(), 300 * 2**20
    metrics = KafkaMetrics(registry, size)
    worker = watch(lambda: Cluster(topics), metrics, Stop(), every_seconds=0.0, volume_bytes=size)
    assert worker.turn() == 0.0 and worker.rebuilt
    worker.close()
    assert (sample(registry, "topics_unbounded"), sample(registry, "up")) == (1, 1)


def test_what_a_broker_holds_and_has_free_is_shown(topics: KafkaSettings) -> None:
    """All topics together, beside what its file system says."""
    send(topics, 7)
    found = look(topics)
    assert found.broker_bytes >= sum(found.log_bytes.values()) > 0
    assert found.usable_bytes > 0


def test_it_goes_on_with_a_new_connection(topics: KafkaSettings) -> None:
    """A look that fails in the middle is followed by one that succeeds."""
    opened: list[Cluster] = []

    def broken_first() -> Cluster:
        opened.append(Cluster(topics))
        if len(opened) == 1:
            opened[0].close()
        return opened[-1]

    worker = watching(broken_first, KafkaMetrics(CollectorRegistry()))
    assert worker.turn() > 0.0 and not worker.rebuilt
    assert worker.turn() == 0.0 and worker.rebuilt
    worker.close()


@contextmanager
def exporter(port: int, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """``python -m monitor kafka``; killed at the end if it still runs."""
    whole = {**os.environ, "KAFKA_METRICS_PORT": str(port), **env}
    process = subprocess.Popen([sys.executable, "-m", "monitor", "kafka"], cwd=ROOT, env=whole)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(patience())


def served(port: int, path: str = "/metrics") -> str:
    """What a process serves; "" where nobody listens or the answer is no 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        return ""


def test_the_process_serves_them(topics: KafkaSettings) -> None:
    """``python -m monitor kafka`` answers with the broker's numbers and ends on SIGTERM."""
    send(topics, 2)
    port = held_port()
    servers, prefix = topics.bootstrap_servers, topics.topic_prefix
    with exporter(port, KAFKA_BOOTSTRAP_SERVERS=servers, KAFKA_TOPIC_PREFIX=prefix) as process:
        eventually(lambda: "kafka_up 1.0" in served(port))
        text = served(port)
        assert 'kafka_topic_end_offset{topic="ticks"} 2.0' in text
        assert "process_resident_memory_bytes" in text
        assert served(port, "/readyz")
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience()) == 0


def test_without_a_broker_the_process_lives_and_says_so() -> None:
    """No broker: ``kafka_up`` 0, alive, not ready."""
    port = held_port()
    with exporter(port, KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{held_port()}"):
        eventually(lambda: "kafka_up 0.0" in served(port))
        assert served(port, "/healthz") and not served(port, "/readyz")

"""The featurizer as a process on a real broker: killed, restarted, ended."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.records import encode as encode_closed
from featurizer.level.seeds import default_seeds
from featurizer.row import decode, encode
from ingestor.dead_letter import decode as decode_letter
from ingestor.tick import Event
from ingestor.tick import encode as encode_event
from ingestor.topics import DEAD_LETTERS, DICTIONARIES, FEATURES, LEVELS, MINUTES, PACKED, TICKS
from plumbing.kafka import KafkaSettings, Producer, Reader, Record, ensure_topics
from tests.featurizer.level.world import FIRST, quotes, run_of
from tests.featurizer.market import START, market, tick
from tests.waiting import patience

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = patience(60.0)


class Process:
    """``python -m featurizer`` on the test's topics; its log is in ``log``."""

    def __init__(self, kafka: KafkaSettings, log: Path) -> None:
        self.log = log
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
            "KAFKA_DICTIONARIES": kafka.dictionaries,
            "FEATURIZER_HOST": "127.0.0.1",
            "FEATURIZER_PORT": "0",
        }
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "featurizer"], cwd=ROOT, env=environment, stdout=out
            )

    def logged(self, event: str) -> list[dict[str, Any]]:
        """All log lines of this event; a last one without an end is still being written."""
        lines = map(json.loads, self.log.read_text().rpartition("\n")[0].splitlines())
        return [line for line in lines if line["event"] == event]

    def get(self, path: str) -> str:
        """Ask one of the probes; raises ``OSError`` while it does not answer 200."""
        port = self.logged("service.started")[-1]["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def ready(self) -> bool:
        """True once /readyz answers 200."""
        try:
            return '"ready": true' in self.get("/readyz")
        except (OSError, IndexError):
            return False

    def end(self, number: int) -> int:
        """Send a signal and give the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


class Rows:
    """What has come on a topic so far."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self.reader = Reader(kafka, [topic])
        self.records: list[Record] = []

    def wait_until(self, enough: Callable[[list[Record]], bool]) -> list[Record]:
        """Read on until there is enough."""
        deadline = time.monotonic() + PATIENCE
        while not enough(self.records):
            assert time.monotonic() < deadline, f"{len(self.records)} records after {PATIENCE} s"
            self.records += self.reader.poll(0.2)
        return self.records


class Committed:
    """How far the featurizer's group has committed."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.reader = Reader(kafka, [TICKS.name], group="featurizer")

    def wait_for(self, records: int) -> None:
        """Poll until so many records of all partitions are committed."""
        deadline = time.monotonic() + PATIENCE
        partitions = self.reader.partitions()
        while sum(self.reader.committed(partition) or 0 for partition in partitions) < records:
            assert time.monotonic() < deadline, f"fewer than {records} committed"


@pytest.fixture
def committed(kafka_settings: KafkaSettings, topics: dict[str, Rows]) -> Iterator[Committed]:
    """The positions of the group."""
    positions = Committed(kafka_settings)
    yield positions
    positions.reader.close()


@pytest.fixture
def dictionaries() -> str:
    """Whether records are packed, where a test does not say."""
    return "auto"


@pytest.fixture
def start(
    kafka_settings: KafkaSettings, dictionaries: str, tmp_path: Path
) -> Iterator[Callable[[], Process]]:
    """Starts featurizers; what still runs at the end is killed."""
    started: list[Process] = []

    def start() -> Process:
        settings = kafka_settings.model_copy(update={"dictionaries": dictionaries})
        started.append(Process(settings, tmp_path / f"{len(started)}.log"))
        return started[-1]

    yield start
    for process in started:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


@pytest.fixture
def topics(kafka_settings: KafkaSettings) -> Iterator[dict[str, Rows]]:
    """The topics that the featurizer writes, as they are filled."""
    written = (FEATURES, MINUTES, LEVELS, DEAD_LETTERS)
    ensure_topics(kafka_settings, (TICKS, DICTIONARIES, *written))
    rows = {topic.name: Rows(kafka_settings, topic.name) for topic in written}
    yield rows
    for found in rows.values():
        found.reader.close()


@pytest.fixture
def producer(
    kafka_settings: KafkaSettings, dictionaries: str, topics: dict[str, Rows]
) -> Iterator[Producer]:
    """Writes ticks."""
    settings = kafka_settings.model_copy(update={"dictionaries": dictionaries})
    made = Producer(settings, packed=PACKED)
    yield made
    made.close()


def publish(producer: Producer, events: Sequence[Event]) -> None:
    """Put events on the topic and wait for the broker."""
    for event in events:
        producer.send(TICKS.name, event.product_id, encode_event(event))
    producer.flush()


def row_id(record: Record) -> str:
    """The id of a row as it stands in ``features``."""
    return decode(record.value).row_id


def calm_rows(events: Sequence[Event]) -> dict[str, bytes]:
    """The rows of a run without failures by id, in order."""
    engine = FeatureEngine(Levels(default_seeds()))
    return {row.row_id: encode(row) for event in events if (row := engine.update(event))}


@pytest.mark.parametrize("dictionaries", ["off", "on"])
def test_killed_featurizer_goes_on_with_equal_bytes(
    dictionaries: str,
    start: Callable[[], Process],
    topics: dict[str, Rows],
    producer: Producer,
    committed: "Committed",
) -> None:
    """After SIGKILL and a restart no row is missing, and each has the bytes of a calm run.

    Whether ticks and rows are packed or not.
    """
    events = market(seed=21, steps=1_800)
    third = len(events) // 3
    calm, before = calm_rows(events), len(calm_rows(events[:third]))
    features = topics[FEATURES.name]
    first = start()
    publish(producer, events[:third])
    committed.wait_for(third)
    publish(producer, events[third : 2 * third])
    features.wait_until(lambda found: len(found) > before)
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    publish(producer, events[2 * third :])
    second = start()
    found = features.wait_until(lambda found: len({row_id(r) for r in found}) == len(calm))
    assert {(row_id(record), record.value) for record in found} == set(calm.items())
    assert sum(line["records"] for line in second.logged("state.rebuilt")) >= third
    for product in ("BTC-USD", "ETH-USD"):
        last_seen = {row_id(record): record.offset for record in found if record.key == product}
        wanted = [known for known in calm if f":{product}:" in known]
        assert sorted(last_seen, key=last_seen.__getitem__) == wanted
    assert bool(first.logged("dictionary.made")) is (dictionaries == "on")
    assert second.end(signal.SIGTERM) == 0


def test_featurizer_is_ready_without_ticks_and_ends_with_exit_code_0(
    start: Callable[[], Process], topics: dict[str, Rows], producer: Producer
) -> None:
    """Ready before anything came; one tick gives one row with headers; SIGTERM ends it."""
    process = start()
    deadline = time.monotonic() + PATIENCE
    while not process.ready():
        assert time.monotonic() < deadline, process.log.read_text()
    producer.send(TICKS.name, "BTC-USD", b"not a tick")
    publish(producer, [tick(START, received_us=START + 3)])
    [row] = topics[FEATURES.name].wait_until(bool)
    [letter] = topics[DEAD_LETTERS.name].wait_until(bool)
    assert set(row.headers) == {"received_us", "featurized_us"}
    assert row.headers["received_us"] == str(START + 3)
    assert decode_letter(letter.value).raw == "not a tick"
    deadline = time.monotonic() + PATIENCE
    while 'featurizer_rows_total{product="BTC-USD"} 1.0' not in process.get("/metrics"):
        assert time.monotonic() < deadline, process.get("/metrics")
    assert process.end(signal.SIGTERM) == 0
    assert process.logged("service.stopped")


def test_killed_featurizer_has_the_level_of_a_calm_run(
    start: Callable[[], Process],
    topics: dict[str, Rows],
    producer: Producer,
    committed: "Committed",
) -> None:
    """Killed after 85 minutes of quotes and again in a batch: equal records, equal level.

    The second one reads a part of the ticks back, and the rest of its state from its own topics.
    """
    events, closed = quotes(FIRST, FIRST + 7_000), set[bytes]()
    engine = FeatureEngine(closed=lambda record: closed.add(encode_closed(record)))
    for event in events:
        engine.update(event)
    first = start()
    publish(producer, events[:5_100])
    committed.wait_for(5_100)
    publish(producer, events[5_100:6_000])
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    publish(producer, events[6_000:])
    second = start()
    committed.wait_for(len(events))
    found = set[bytes]()
    for name in (MINUTES.name, LEVELS.name):
        wanted = {value for value in closed if (b'"minute"' in value) == (name == MINUTES.name)}
        records = topics[name].wait_until(lambda read, w=wanted: {r.value for r in read} >= w)
        found |= {record.value for record in records}
    assert found == closed
    assert all(line["records"] < 5_100 for line in second.logged("state.rebuilt"))
    run = run_of(engine)
    shown = json.loads(second.get("/levels"))["P"]
    assert (shown["tau"], shown["status"]) == (run.level.tau, "provisional")
    assert (shown["run_us"], shown["counted_seconds"]) == (run.run_us, run.counted)
    assert second.end(signal.SIGTERM) == 0

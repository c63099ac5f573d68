"""Whatever other tools leave in topics, no reader stops and none says what is not so.

Each reader meets every kind of bad record of every topic that it reads, in one run.
"""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaProducer

from drift.window import Bounds, read_windows
from ingestor.dead_letter import DeadLetter
from ingestor.dead_letter import decode as decode_letter
from ingestor.tick import Tick, encode
from ingestor.topics import FEATURES, OUTCOMES, PREDICTIONS, TICKS, TOPICS
from local.audit import audit
from local.content import Content
from plumbing.kafka import KafkaSettings, Reader, ensure_topics
from serving.control import KEY, Control
from serving.control import encode as encode_control
from tests.featurizer.market import START, tick
from tests.integration.pipeline import Market, Pipeline, Process, ready
from tests.serving.fake_v2 import FakeV2
from tests.waiting import eventually

pytestmark = pytest.mark.kafka

SECOND = 1_000_000
PRODUCT = "BTC-USD"
DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def at(second: int) -> Tick:
    """The one tick of a second."""
    return tick(START + second * SECOND, trade_id=second + 1, bid=99 + second % 7, ask=107)


def edited(value: bytes, **fields: object) -> bytes:
    """A good message with other fields."""
    return msgspec.json.encode({**msgspec.json.decode(value), **fields})


def kinds(good: bytes, key: bytes = PRODUCT.encode()) -> dict[str, dict[str, Any]]:
    """Every kind of bad record, by name, made of a good message of the topic."""
    return {
        "binary key": {"key": b"\x00\x00\x01\xfe", "value": good},
        "binary header": {"key": key, "value": good, "headers": [("origin", b"\xff\x00")]},
        "no value": {"key": key, "value": None},
        "empty value": {"key": key, "value": b""},
        "bad utf-8": {"key": key, "value": good.replace(b'":"', b'":"\xff\xfe')},
        "latin-1": {"key": key, "value": b'{"caf\xe9":1}'},
        "deep": {"key": key, "value": DEEP},
        "no json": {"key": key, "value": b"\x00\x00\x00\x00\x07\x02abc"},
        "another type": {"key": key, "value": b"[1]"},
        "null": {"key": key, "value": b"null"},
        "nan": {"key": key, "value": good.replace(b'_us":', b'_us":NaN,"x":')},
        "huge integer": {"key": key, "value": good.replace(b'_us":', b'_us":1' + b"0" * 400, 1)},
        "version of tomorrow": {"key": key, "value": edited(good, schema_version=99)},
        "a time of no clock": {"key": key, "value": edited(good, time_us=-1)},
    }


class Bench:
    """The topics of a run, written to as other tools would."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka, self.refused = kafka, Counter[str]()
        ensure_topics(kafka, TOPICS)
        self._producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)

    def put(self, topic: str, *, key: bytes, value: bytes | None, **more: Any) -> None:
        self._producer.send(self.kafka.topic_prefix + topic, key=key, value=value, **more)

    def poison(self, topic: str, good: bytes, **others: dict[str, Any]) -> None:
        """Put one record of each kind into a topic."""
        bad = {**kinds(good), **others}
        assert all(record["value"] != good or "binary" in name for name, record in bad.items())
        for record in bad.values():
            self.put(topic, partition=self.home(topic), **record)
        self.refused[topic] += len(bad)
        self._producer.flush()

    def home(self, topic: str) -> int:
        """The partition of the product, where the kinds stand among good records."""
        return next((r.partition for r in self.read(topic) if r.key == PRODUCT), 0)

    def ticks(self, seconds: range) -> None:
        for second in seconds:
            self.put(TICKS.name, key=PRODUCT.encode(), value=encode(at(second)))
        self._producer.flush()

    def read(self, topic: str) -> list[Any]:
        """All records of a topic."""
        reader = Reader(self.kafka, [topic])
        try:
            left = sum(reader.ends().values()) - sum(reader.beginnings().values())
            found: list[Any] = []
            while len(found) < left:
                found += reader.poll(0.2)
            return found
        finally:
            reader.close()

    def letters(self) -> list[DeadLetter]:
        return [decode_letter(record.value) for record in self.read("dead-letters")]

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def bench(kafka_settings: KafkaSettings) -> Iterator[Bench]:
    """Topics of this test's own."""
    made = Bench(kafka_settings)
    yield made
    made.close()


@pytest.fixture
def pipeline(kafka_settings: KafkaSettings, v2: FakeV2, tmp_path: Path) -> Iterator[Pipeline]:
    """Starts processes on those topics; no market, the test writes its own."""
    made = Pipeline(kafka_settings, Market(), v2.url, tmp_path)
    yield made
    made.close()


def predictions(bench: Bench, variant: str | None = None) -> int:
    """How many predictions of the running product stand in their topic."""
    found = [json.loads(r.value) for r in bench.read(PREDICTIONS.name) if _is_prediction(r)]
    return len({e["row_id"] for e in found if variant in (None, e["model_variant"])})


def _is_prediction(record: Any) -> bool:
    try:
        found = json.loads(record.value)
        return not record.flaw and found["schema_version"] == 1 and 0 < found["time_us"] < 2**60
    except (ValueError, RecursionError, TypeError, KeyError):
        return False


def page(monitor: Process) -> dict[str, Any]:
    """A page of predictions that scans the whole partition."""
    url = f"http://127.0.0.1:{monitor.port}/predictions?product={PRODUCT}&limit=1000"
    with urllib.request.urlopen(url, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_no_reader_stops(bench: Bench, pipeline: Pipeline) -> None:
    """Poisoned while they run, and again before a restart: rows, scores, outcomes, switch go on."""
    first, second, third = range(80), range(80, 160), range(160, 240)
    services = [pipeline.featurizer(), pipeline.scorer(), pipeline.monitor()]
    ready(*services)
    bench.ticks(first)
    eventually(lambda: predictions(bench) == len(first), "the first predictions")

    zero = {"key": PRODUCT.encode(), "value": edited(encode(at(0)), bid=0, ask=0)}
    bench.poison(TICKS.name, encode(at(79)), **{"a quote of nothing": zero})
    row, made = bench.read(FEATURES.name)[-1].value, bench.read(PREDICTIONS.name)[-1].value
    bench.poison(FEATURES.name, row)
    bench.poison(PREDICTIONS.name, made)
    switch = encode_control(Control(variant="baseline", changed_by="a test", changed_us=1))
    known = ("no value", "empty value", "a time of no clock")  # the default comes back, or no time
    for name, record in kinds(switch, KEY.encode()).items():
        if name not in known:
            bench.put("control", partition=0, **record)
    bench.ticks(second)
    eventually(lambda: predictions(bench) == 160, "predictions after the bad records")
    assert predictions(bench, "baseline") == 0

    bench.put("control", key=KEY.encode(), value=switch)
    for service in services:
        assert service.process.poll() is None
        service.kill()
    eventually(lambda: len(bench.read(OUTCOMES.name)) > 0, "outcomes")
    bench.poison(OUTCOMES.name, bench.read(OUTCOMES.name)[-1].value)
    services = [pipeline.featurizer(), pipeline.scorer(), pipeline.monitor()]
    ready(*services)
    bench.ticks(third)
    eventually(lambda: predictions(bench) == 240, "predictions after the restart")
    eventually(lambda: predictions(bench, "baseline") > 0, "the switch is followed")
    eventually(lambda: page(services[2])["predictions"][0]["time_us"] == at(239).time_us, "a page")
    assert all(service.process.poll() is None for service in services)

    letters = bench.letters()
    places = Counter((x.source, x.topic, x.partition, x.offset) for x in letters)
    assert set(places.values()) == {1}, "each is one letter"
    found = Counter((x.source, x.topic) for x in letters)
    assert found == {
        ("featurizer", TICKS.name): bench.refused[TICKS.name],
        ("scorer", FEATURES.name): bench.refused[FEATURES.name],
        ("monitor", PREDICTIONS.name): bench.refused[PREDICTIONS.name],
    }
    _tools_go_on(bench)


def _tools_go_on(bench: Bench) -> None:
    """Those that read topics to their end count what they pass over, and tell."""
    reader = Reader(bench.kafka, [FEATURES.name, PREDICTIONS.name, OUTCOMES.name])
    try:
        windows = read_windows(reader, Bounds())
        assert windows[PRODUCT].end_us == at(239).time_us
    finally:
        reader.close()
    counted = audit(bench.kafka, Content(), 30.0)
    assert counted["unreadable"] == {
        name: bench.refused[name] for name in (TICKS.name, FEATURES.name, PREDICTIONS.name)
    }
    assert counted["ticks"]["ids"] == counted["features"]["ids"] == 240

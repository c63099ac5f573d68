"""The monitor's process on a real Apache Kafka."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from featurizer.engine import FeatureEngine
from featurizer.row import encode as encode_row
from ingestor.tick import encode as encode_event
from ingestor.topics import FEATURES, OUTCOMES, PREDICTIONS, TICKS, TOPICS
from monitor.outcome import decode
from plumbing.kafka import KafkaSettings, Producer, Reader, ensure_topics
from scorer.prediction import encode as encode_prediction
from tests.featurizer.market import market
from tests.monitor.test_follow import bits, calm
from tests.monitor.world import predictions_of
from tests.ports import held_port
from tests.waiting import eventually, patience

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).resolve().parents[2]


def get(port: int, path: str) -> tuple[int, Any]:
    """Status and JSON of one GET; (0, None) where nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, json.load(exc)
    except OSError:
        return 0, None


@contextmanager
def monitor(kafka: KafkaSettings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``python -m monitor``, ready; killed at the end if it still runs."""
    env = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "MONITOR_PORT": str(port),
        "MONITOR_SCAN_SECONDS": "60",
        "MONITOR_ADAPTER_URL": f"http://127.0.0.1:{held_port()}",
    }
    process = subprocess.Popen([sys.executable, "-m", "monitor"], cwd=ROOT, env=env)
    try:
        eventually(lambda: get(port, "/readyz")[0] == 200)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(patience())


def published(kafka: KafkaSettings) -> dict[str, bytes]:
    """All outcomes in the topic, by id; repeats must have equal bits."""
    reader = Reader(kafka, [OUTCOMES.name])
    try:
        records = []
        wanted = sum(reader.ends().values())
        deadline = time.monotonic() + 60
        while len(records) < wanted and time.monotonic() < deadline:
            records += reader.poll(0.2)
        return bits(decode(record.value) for record in records)
    finally:
        reader.close()


def test_killed_and_restarted_monitor_loses_nothing(kafka_settings: KafkaSettings) -> None:
    """Outcomes, pages, latest and SIGTERM, with a kill -9 in the middle."""
    ensure_topics(kafka_settings, TOPICS)
    events = market(seed=3, steps=1_500, feeds=("first",))
    predictions = predictions_of(events)
    expected = calm(events, predictions)
    producer = Producer(kafka_settings, linger_ms=20)
    port = held_port()
    rows = {p.row_id: p for p in predictions}
    engine = FeatureEngine()

    def publish(part: list[Any]) -> None:
        for event in part:
            producer.send(TICKS.name, event.product_id, encode_event(event))
            row = engine.update(event)
            if row is not None:
                made = encode_prediction(rows[row.row_id])
                producer.send(FEATURES.name, event.product_id, encode_row(row))
                producer.send(PREDICTIONS.name, event.product_id, made)
        producer.flush()

    half = len(events) // 2
    with monitor(kafka_settings, port) as process:
        publish(events[:half])
        eventually(lambda: len(published(kafka_settings)) > 50)
        process.kill()
        process.wait(patience())
    publish(events[half:])
    with monitor(kafka_settings, port) as process:
        told: dict[str, bytes] = {}

        def all_told() -> bool:
            told.update(published(kafka_settings))
            return told.keys() == expected.keys()

        eventually(all_told)
        assert [(told[k], expected[k]) for k in expected if told[k] != expected[k]] == []
        # What stands in the topic may not be shown yet; so many will wait when all is read.
        eventually(lambda: _health(port).get("pending") == len(rows) - len(expected))
        status, latest = get(port, "/predictions/latest?product=BTC-USD")
        assert status == 200
        newest = [p for p in predictions if p.product_id == "BTC-USD"][-1]
        assert latest["prediction_id"] == newest.prediction_id
        _check_pages(port, [p.row_id for p in predictions if p.product_id == "BTC-USD"], expected)
        eventually(lambda: _health(port).get("last_probe") == "unreachable")
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience()) == 0
    producer.close()


def _health(port: int) -> dict[str, Any]:
    return get(port, "/health")[1] or {}


def _check_pages(port: int, row_ids: list[str], expected: dict[str, bytes]) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        status, page = get(port, f"/predictions?product=BTC-USD&limit=250{cursor}")
        assert status == 200, page
        for item in page["predictions"]:
            seen.append(item["row_id"])
            assert (item["outcome"] is not None) == (item["prediction_id"] in expected)
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == row_ids[::-1]

"""The script that reads topics in a pod, run here against an embedded Kafka as it is run there."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestor.tick import encode
from ingestor.topics import TICKS
from plumbing.kafka import GroupConsumer, KafkaSettings, Producer, ensure_topics
from tests.e2e.kind.counting import Market, count, expected_of, lines_in, ticks_alone
from tests.e2e.stack import ROOT

SCRIPT = Path(__file__).parent / "kind" / "reading.py"
MARKET = Market(7, ("BTC-USD", "ETH-USD"), datetime(2024, 1, 1, tzinfo=UTC), 20)

pytestmark = pytest.mark.kafka


def ask(settings: KafkaSettings, *arguments: str) -> str:
    """Run the script by its text on stdin, and give what it prints."""
    env = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": settings.topic_prefix,
    }
    command = [sys.executable, "-", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=env, input=SCRIPT.read_text(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_records_are_read(kafka_settings: KafkaSettings) -> None:
    """What was written is counted, read and found whole."""
    ensure_topics(kafka_settings, [TICKS])
    assert json.loads(ask(kafka_settings, "counts", "ticks")) == {"ticks": 0}
    assert ask(kafka_settings, "records", "ticks") == ""
    producer, made = Producer(kafka_settings), list(MARKET.events("a feed"))
    for event in made:
        producer.send("ticks", event.product_id, encode(event))
    producer.flush()
    producer.close()
    assert json.loads(ask(kafka_settings, "counts", "ticks")) == {"ticks": len(made)}
    lines = ticks_alone(lines_in(ask(kafka_settings, "records", "ticks"), "ticks"))
    expected = expected_of(MARKET, "a feed").ticks
    assert count(lines, expected, expected).whole


def test_owners_are_told(kafka_settings: KafkaSettings) -> None:
    """Each member of a group is named with its partitions."""
    ensure_topics(kafka_settings, [TICKS])
    consumer = GroupConsumer(kafka_settings, ["ticks"], "featurizer")
    try:
        while not consumer.joined:
            consumer.poll(0.2)
        owners = json.loads(ask(kafka_settings, "owners", "featurizer"))
    finally:
        consumer.close()
    assert list(owners["featurizer"].values()) == [list(range(12))]


def test_brokers_are_told(kafka_settings: KafkaSettings) -> None:
    """It says how many brokers are up, and whether each copy of each partition is."""
    ensure_topics(kafka_settings, [TICKS])
    found = json.loads(ask(kafka_settings, "brokers"))
    assert found == {"brokers": 1, "offline": 0, "under_replicated": 0}

"""The script that reads topics in a pod, run here against an embedded Kafka as it is run there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingestor.continuity import events
from ingestor.tick import encode
from ingestor.topics import TICKS
from plumbing.kafka import GroupConsumer, KafkaSettings, Producer, ensure_topics
from simulator.market import frames
from tests.e2e.kind.reading import members_of
from tests.e2e.stack import ROOT

SCRIPT = Path(__file__).parent / "kind" / "reading.py"
START_US = 1_704_067_200_000_000

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


def test_records_are_counted(kafka_settings: KafkaSettings) -> None:
    """From the beginning to the end of all partitions of a topic."""
    ensure_topics(kafka_settings, [TICKS])
    assert json.loads(ask(kafka_settings, "counts", "ticks")) == {"ticks": 0}
    made = list(events(frames(7, ("BTC-USD", "ETH-USD"), START_US, 20), "a feed"))
    producer = Producer(kafka_settings)
    for event in made:
        producer.send("ticks", event.product_id, encode(event))
    producer.flush()
    producer.close()
    assert json.loads(ask(kafka_settings, "counts", "ticks")) == {"ticks": len(made)}


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


def test_owners_are_read_from_a_group() -> None:
    """Each member's partitions are told by its address."""
    topic = {"topic": "ticks", "partitions": [3, 1]}
    member = {
        "client_host": "/10.244.1.7",
        "member_assignment": {"assigned_partitions": [topic]},
    }
    assert members_of({"members": [member]}) == {"10.244.1.7": [1, 3]}

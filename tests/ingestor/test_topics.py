"""The topics, stated once; ``python -m ingestor topics`` makes them, or waits for them."""

import json
import os
import signal
import subprocess
import sys

import pytest

from ingestor.__main__ import await_topics, make_topics
from ingestor.topics import (
    CONTROL,
    DAY_MS,
    FEATURES,
    FOREVER_MS,
    LEVELS,
    MINUTES,
    OUTCOMES,
    PREDICTIONS,
    TICKS,
    TOPICS,
)
from plumbing.kafka import KafkaSettings, Reader, ensure_topics
from plumbing.stop import Stop
from tests.waiting import patience


def test_a_topic_stands_once() -> None:
    """All that there are, each by a name of its own."""
    names = [topic.name for topic in TOPICS]
    assert names == sorted(set(names), key=names.index)
    assert set(names) == {
        "ticks",
        "feed-events",
        "features",
        "minutes",
        "levels",
        "predictions",
        "outcomes",
        "control",
        "dead-letters",
    }


def test_what_is_joined_by_product_has_equal_partitions() -> None:
    """Keyed by product, so a product's ticks and predictions are in partitions of one number."""
    by_product = (TICKS, FEATURES, MINUTES, LEVELS, PREDICTIONS, OUTCOMES)
    assert {topic.partitions for topic in by_product} == {12}


def test_what_levels_are_rebuilt_from_is_kept_long_enough() -> None:
    """Minutes as long as the ticks of the one under way, and bins for more than the week."""
    assert MINUTES.retention_ms == TICKS.retention_ms
    assert LEVELS.retention_ms > 9 * DAY_MS


def test_the_served_variant_is_never_forgotten() -> None:
    """``control`` keeps its last word for ever, in one partition, so that it has one order."""
    assert (CONTROL.compacted, CONTROL.retention_ms, CONTROL.partitions) == (True, FOREVER_MS, 1)
    assert [topic for topic in TOPICS if topic.compacted] == [CONTROL]


def test_predictions_outlast_the_ticks_they_are_judged_by() -> None:
    """What is judged is kept longer than what it was made of, and all of it for days."""
    assert DAY_MS <= TICKS.retention_ms < PREDICTIONS.retention_ms == OUTCOMES.retention_ms


@pytest.mark.kafka
def test_topics_are_made_once_and_again(kafka_settings: KafkaSettings) -> None:
    """All topics stand with their partitions, and a second run finds nothing to do."""
    assert make_topics(kafka_settings) == 0
    assert make_topics(kafka_settings) == 0
    reader = Reader(kafka_settings, [topic.name for topic in TOPICS])
    try:
        found = [partition.topic for partition in reader.partitions()]
    finally:
        reader.close()
    assert {topic.name: topic.partitions for topic in TOPICS} == {
        topic.name: found.count(topic.name) for topic in TOPICS
    }


@pytest.mark.kafka
def test_waiting_ends_when_the_last_topic_stands(kafka_settings: KafkaSettings) -> None:
    """It makes none itself, names what is missing, and ends with 0 once all are there."""
    ensure_topics(kafka_settings, TOPICS[:2])
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 2:
            ensure_topics(kafka_settings, TOPICS)
        return False

    assert await_topics(kafka_settings, 60.0, wait) == 0
    assert len(waits) == 2


@pytest.mark.kafka
def test_waiting_has_an_end(kafka_settings: KafkaSettings) -> None:
    """Topics that never come are a 1 after the time given, and none was made."""
    assert await_topics(kafka_settings, 0.0, Stop().wait) == 1
    assert await_topics(kafka_settings, 0.0, Stop().wait) == 1


@pytest.mark.process
def test_waiting_for_a_broker_that_is_away_ends_when_it_is_told_to() -> None:
    """Each attempt says why it failed; SIGTERM ends it, with 1 as the topics are not known."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ingestor", "topics", "--wait"],
        env=os.environ | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = map(json.loads, process.stdout)
    said = next(line for line in lines if line["event"] == "topics.missing")
    process.send_signal(signal.SIGTERM)
    rest = list(lines)
    assert process.wait(patience()) == 1
    assert said["brokers"] == "127.0.0.1:1" and "bootstrap" in said["reason"]
    assert rest[-1]["event"] == "topics.given_up"
    process.stdout.close()

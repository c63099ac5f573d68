"""The topics, stated once; ``python -m ingestor topics`` makes them, or waits for them."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from typing import Final

import pytest
from structlog.testing import capture_logs

from ingestor.__main__ import await_topics, make_topics
from ingestor.topics import (
    BYTES_A_TICK,
    CONTROL,
    DAY_MS,
    DICTIONARIES,
    FEATURES,
    FOREVER_MS,
    LEAST_SEGMENT,
    LEVELS,
    MINUTES,
    OUTCOMES,
    PACKED,
    PREDICTIONS,
    RESERVED_BYTES,
    SHARES,
    SIGNALS,
    TICKS,
    TOPICS,
    USABLE,
    VolumeTooSmall,
    bounds,
    most_bytes,
)
from plumbing.kafka import KafkaSettings, Producer, Reader, ensure_topics
from plumbing.kafka.dictionary_topic import DictionaryTopic
from plumbing.stop import Stop
from tests.waiting import patience

GIB: Final = 2**30
KEYED: Final = (TICKS, FEATURES, LEVELS, MINUTES, PREDICTIONS, OUTCOMES, SIGNALS)


def test_a_topic_stands_once() -> None:
    """All that there are, each by a name of its own."""
    names = [topic.name for topic in TOPICS]
    assert names == sorted(set(names), key=names.index)
    assert set(names) == {
        "ticks",
        "feed-events",
        "features",
        "levels",
        "minutes",
        "predictions",
        "outcomes",
        "signals",
        "control",
        "dead-letters",
        "dictionaries",
    }


def test_what_is_joined_by_product_has_equal_partitions() -> None:
    """Keyed by product, so a product's ticks and predictions are in partitions of one number."""
    assert {topic.partitions for topic in KEYED} == {12}


def test_the_served_variant_is_never_forgotten() -> None:
    """``control`` keeps its last word for ever, in one partition, so that it has one order."""
    assert (CONTROL.compacted, CONTROL.retention_ms, CONTROL.partitions) == (True, FOREVER_MS, 1)
    assert [topic for topic in TOPICS if topic.compacted] == [CONTROL, DICTIONARIES]


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
def test_one_word_has_topics_packed_that_already_held_records(
    kafka_settings: KafkaSettings,
) -> None:
    """For all services, from their next start on; without it they stay as they are."""
    assert make_topics(kafka_settings) == 0
    with closing(Producer(kafka_settings)) as before:
        before.send(TICKS.name, "BTC-USD", b"{}")
        before.flush()
    found = DictionaryTopic(kafka_settings)
    assert found.packed(PACKED, lambda key, value: None) == {}
    assert make_topics(kafka_settings.model_copy(update={"dictionaries": "on"})) == 0
    assert found.packed(PACKED, lambda key, value: None) == dict.fromkeys(PACKED)


@pytest.mark.kafka
def test_topics_are_bounded_to_a_volume_that_is_said(kafka_settings: KafkaSettings) -> None:
    """Those that stand too: a second run with another size alters what differs."""
    assert make_topics(kafka_settings) == 0
    said = []
    for volume in ("10Gi", "100Gi", "100Gi"):
        with capture_logs() as logs:
            assert make_topics(kafka_settings.model_copy(update={"volume": volume})) == 0
        [bounded] = [each for each in logs if each["event"] == "topics.bounded"]
        said.append(set(bounded["altered"]))
    assert said == [set(bounds(10 * 2**30, {}))] * 2 + [set()]


@pytest.mark.kafka
def test_a_volume_too_small_leaves_the_topics_as_they_are(kafka_settings: KafkaSettings) -> None:
    """They stand and are used; what is wrong is said."""
    with capture_logs() as logs:
        assert make_topics(kafka_settings.model_copy(update={"volume": "300Mi"})) == 0
    [told] = [each for each in logs if each["event"] == "topics.not_bounded"]
    assert "expected" in told["reason"] and "enlarge the volume" in told["reason"]


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


def used(partitions: int) -> dict[str, int]:
    """Every topic with so many partitions in use, or all that it has."""
    return {topic.name: min(partitions, topic.partitions) for topic in TOPICS}


@pytest.mark.parametrize("size", [2, 10, 100])
@pytest.mark.parametrize("partitions", [1, 2, 7, 12])
def test_a_volume_is_never_more_than_four_fifths_full(size: int, partitions: int) -> None:
    """However many partitions hold products, with the segments being written and dropped."""
    held = most_bytes(bounds(size * GIB, used(partitions)), used(partitions))
    assert held + RESERVED_BYTES <= USABLE * size * GIB
    assert held > 0.95 * (USABLE * size * GIB - RESERVED_BYTES)


def test_all_that_is_not_compacted_is_bounded() -> None:
    """Shares sum to one; what is compacted keeps its last word and is not bounded."""
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(bounds(10 * GIB, {})) == {topic.name for topic in TOPICS if not topic.compacted}


def test_a_topic_that_nobody_wrote_to_has_room_for_one_product() -> None:
    """Unknown partitions count as one, and none as one."""
    assert bounds(10 * GIB, {}) == bounds(10 * GIB, {"ticks": 0}) == bounds(10 * GIB, used(1))


def test_segments_are_small_beside_the_bound_and_no_smaller_than_kafka_takes() -> None:
    """What goes at once is a small part of what stands."""
    for size in (2, 10, 1000):
        for each in bounds(size * GIB, used(12)).values():
            segment = int(each["segment.bytes"])
            assert LEAST_SEGMENT <= segment <= int(each["retention.bytes"])
            assert segment < 2**31


def test_the_time_that_a_topic_keeps_is_stated_beside_its_bytes() -> None:
    """Whichever is first."""
    assert bounds(10 * GIB, {})["ticks"]["retention.ms"] == str(TICKS.retention_ms)


def test_a_volume_that_is_too_small_is_refused() -> None:
    """The error says what was found and what was expected."""
    with pytest.raises(VolumeTooSmall, match=re.escape("found a volume of 0.50 GiB")):
        bounds(GIB // 2, used(12))


def test_ten_gibibytes_hold_the_last_month_of_one_product() -> None:
    """Of BTC-USD at 244,000 ticks a day: 30 days of each, and of rows all that are kept."""
    limits = bounds(10 * GIB, used(1))
    for topic, size in BYTES_A_TICK.items():
        days = int(limits[topic.name]["retention.bytes"]) / (size * 244_000)
        assert days > min(30, topic.retention_ms / DAY_MS)

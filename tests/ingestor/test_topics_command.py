"""``python -m ingestor topics`` makes the topics as the table states them."""

import pytest

from ingestor.__main__ import make_topics
from ingestor.topics import TOPICS
from plumbing.kafka import KafkaSettings, Reader


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

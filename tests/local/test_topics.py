"""Reading the topics back, on a real Apache Kafka."""

from collections.abc import Iterator

import pytest

from ingestor.topics import TOPICS
from local.processes import wait_until
from local.topics import Topics, Watch
from plumbing.kafka import KafkaSettings, Producer, Reader, ensure_topics
from tests.waiting import patience

pytestmark = pytest.mark.kafka


@pytest.fixture
def producer(kafka_settings: KafkaSettings) -> Iterator[Producer]:
    """A producer of a broker with all topics, one record in each of two."""
    ensure_topics(kafka_settings, TOPICS)
    made = Producer(kafka_settings)
    made.send("ticks", "BTC-USD", b"of an earlier run")
    made.send("dead-letters", "BTC-USD", b"of an earlier run")
    made.flush()
    yield made
    made.close()


@pytest.fixture
def topics(producer: Producer, kafka_settings: KafkaSettings) -> Iterator[Topics]:
    """Topics made after the records of an earlier run."""
    made = Topics(kafka_settings, lambda: False)
    yield made
    made.close()


def test_only_this_run_is_counted(producer: Producer, topics: Topics) -> None:
    """What stood before is left out of counts and tally."""
    for _ in range(3):
        producer.send("dead-letters", "BTC-USD", b"{}")
    producer.flush()
    assert topics.counts()["dead-letters"] == 3 and topics.counts()["ticks"] == 0
    tally = topics.tally()
    assert tally.dead_letters == 3 and tally.unread == 0


def test_it_is_drained_when_the_groups_have_committed(
    producer: Producer, topics: Topics, kafka_settings: KafkaSettings
) -> None:
    """As long as a featurizer that lives has not committed its ticks, it is not."""
    producer.send("ticks", "BTC-USD", b"{}")
    producer.flush()
    assert topics.drain(0.5, quiet=0.1) is False
    assert topics.drain(10, quiet=0.1, without=["featurizer"]) is True
    featurizer = Reader(kafka_settings, ["ticks"], group="featurizer")
    featurizer.commit({p: end for p, end in featurizer.ends().items() if end})
    featurizer.close()
    assert topics.drain(10, quiet=0.1) is True


def test_a_wish_to_end_cuts_reading_short(
    producer: Producer, kafka_settings: KafkaSettings
) -> None:
    """Then nothing is waited for, and what was not read is told."""
    topics = Topics(kafka_settings, lambda: True)
    producer.send("ticks", "BTC-USD", b"{}")
    producer.flush()
    assert topics.drain(60) is False
    assert topics.tally().unread == 1
    topics.close()


def test_the_watch_keeps_counts_fresh(producer: Producer, topics: Topics) -> None:
    """A new record shows in the counts without anyone asking the broker."""
    watch = Watch(topics, every=0.05)
    producer.send("predictions", "BTC-USD", b"{}")
    producer.flush()
    assert wait_until(lambda: watch.counts["predictions"] == 1, patience(10))
    assert watch.stop(10)

"""``python -m local.audit`` on a real Kafka."""

import argparse

import pytest

from featurizer.engine import FeatureEngine
from featurizer.row import encode as encode_row
from ingestor.continuity import events
from ingestor.tick import encode as encode_event
from ingestor.topics import FEATURES, PREDICTIONS, TICKS
from local.audit import audit, content_of
from local.content import Content
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from scorer.prediction import encode as encode_prediction
from simulator.market import frames
from tests.local.test_content import PRODUCTS, SECONDS, START, prediction

pytestmark = pytest.mark.kafka


def market() -> Content:
    """What counts, told of the market that was played."""
    return Content(frames(7, PRODUCTS, START, SECONDS))


def test_it_waits_for_the_rest_and_no_longer(kafka_settings: KafkaSettings) -> None:
    """With a row missing it says so after the time given; once it is there, all is whole."""
    ensure_topics(kafka_settings, (TICKS, FEATURES, PREDICTIONS))
    producer, engine = Producer(kafka_settings), FeatureEngine()
    rows = []
    for event in events(frames(7, PRODUCTS, START, SECONDS), "market-7@now"):
        producer.send(TICKS.name, event.product_id, encode_event(event))
        row = engine.update(event)
        if row is not None:
            rows.append(row)
    for row in rows[:-1]:
        producer.send(FEATURES.name, row.product_id, encode_row(row))
    for row in rows:
        producer.send(PREDICTIONS.name, row.product_id, encode_prediction(prediction(row)))
    producer.flush()
    short = audit(kafka_settings, market(), 0.5)
    assert (short["whole"], short["features"]["missing"]) == (False, 1)
    producer.send(FEATURES.name, rows[-1].product_id, encode_row(rows[-1]))
    producer.flush()
    producer.close()
    found = audit(kafka_settings, market(), 30.0)
    assert found["whole"], found
    assert found["predictions"]["ids"] == len(rows)


@pytest.mark.parametrize("volatility", ["moods", "wandering"])
def test_it_counts_the_market_that_was_played(volatility: str) -> None:
    """Of either kind: every tick that its ingestor makes is expected, and no other."""
    told = argparse.Namespace(
        seed=7,
        products=",".join(PRODUCTS),
        start="2024-01-01T00:00:00",
        length=SECONDS,
        volatility=volatility,
        digest=None,
        across=False,
    )
    content = content_of(told)
    for event in events(frames(7, PRODUCTS, START, SECONDS, volatility=volatility), "f"):
        content.take(TICKS.name, encode_event(event))
    found = content.report()["ticks"]
    assert found["expected"] == found["ids"] > 0
    assert not found["shown"]

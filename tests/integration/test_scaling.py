"""Featurizer and scorer go from one replica to three and back while the market runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestor.recordings.recording import Frame
from ingestor.topics import TICKS, TOPICS
from local.audit import audit
from local.content import Content
from plumbing.kafka import KafkaSettings, Producer, Reader, ensure_topics
from tests.integration.pipeline import (
    Market,
    Pipeline,
    Process,
    event_seconds,
    published,
    ready,
)
from tests.serving.fake_v2 import FakeV2
from tests.waiting import eventually

# Partitions 9, 8, 5, 6, 1 and 2 of 12: two for each third of them, which is one replica's.
MARKET = Market("BTC-USD,ETH-USD,SOL-USD,ADA-USD,XRP-USD,DOGE-USD")
SECONDS = 420
"""So much event time at least: more than the longest window of a feature."""


@pytest.fixture
def v2() -> Iterator[FakeV2]:
    """A V2 server of both variants."""
    server = FakeV2()
    yield server
    server.close()


def whole(kafka: KafkaSettings, market: list[Frame]) -> dict[str, Any]:
    """Audit what is in the topics."""
    report = audit(kafka, Content(market), 60.0)
    assert report["whole"], json.dumps(report, indent=2)
    return report


def one_replica(
    kafka: KafkaSettings, alone: KafkaSettings, market: list[Frame], v2: FakeV2, folder: Path
) -> dict[str, Any]:
    """The report of a run on copies of the ticks that nobody disturbs."""
    copy_ticks(kafka, alone)
    pipeline = Pipeline(alone, MARKET, v2.url, folder)
    try:
        ready(pipeline.featurizer(), pipeline.scorer())
        return whole(alone, market)
    finally:
        pipeline.close()


def copy_ticks(source: KafkaSettings, target: KafkaSettings) -> None:
    """Make the topics and copy all ticks, each partition in its order."""
    ensure_topics(target, TOPICS)
    reader, producer = Reader(source, [TICKS.name]), Producer(target, linger_ms=5)
    try:
        left = sum(reader.ends().values())
        while left:
            for record in reader.poll(0.2):
                producer.send(TICKS.name, record.key, record.value, record.headers)
                left -= 1
        producer.flush()
    finally:
        reader.close()
        producer.close()


def each_works(kind: str, replicas: list[Process], rows: str) -> None:
    """Wait until each has a third of the partitions, and rows of its own since then."""

    def shares() -> list[float]:
        return [replica.sample(f"{kind}_partitions") for replica in replicas]

    eventually(lambda: shares() == [4.0] * 3, f"partitions of each {kind}")
    before = [replica.sample(rows) for replica in replicas]
    eventually(
        lambda: all(r.sample(rows) > n for r, n in zip(replicas, before, strict=True)),
        f"rows of each {kind}",
    )


@pytest.mark.kafka
@pytest.mark.timeout(500)
def test_rows_are_the_same_while_replicas_come_and_go(
    kafka_settings: KafkaSettings, v2: FakeV2, tmp_path: Path
) -> None:
    """Every replica has work, no row is lost, and all equal those of a single replica."""
    pipeline = Pipeline(kafka_settings, MARKET, v2.url, tmp_path)
    try:
        simulator = pipeline.simulator()
        featurizers, scorers = [pipeline.featurizer()], [pipeline.scorer()]
        ready(simulator, *featurizers, *scorers)
        ingestor = pipeline.ingestor()
        eventually(lambda: scorers[0].sample("scorer_predictions_total") > 500, "predictions")
        featurizers += [pipeline.featurizer(), pipeline.featurizer()]
        scorers += [pipeline.scorer(), pipeline.scorer()]
        each_works("featurizer", featurizers, "featurizer_rows_total")
        each_works("scorer", scorers, "scorer_predictions_total")
        assert [featurizers[0].end(), scorers[1].end()] == [0, 0]
        featurizers[1].kill()
        scorers[0].kill()
        eventually(
            lambda: featurizers[2].sample("featurizer_partitions") == 12.0
            and scorers[2].sample("scorer_partitions") == 12.0,
            "all partitions with those that are left",
        )
        eventually(lambda: event_seconds(simulator) > SECONDS, "enough of the market")
        market = published(kafka_settings, MARKET, ingestor)
        found = whole(kafka_settings, market)
    finally:
        pipeline.close()
    prefix = f"{kafka_settings.topic_prefix}alone-"
    alone = kafka_settings.model_copy(update={"topic_prefix": prefix})
    (tmp_path / "alone").mkdir()
    expected = one_replica(kafka_settings, alone, market, v2, tmp_path / "alone")
    assert found["features"]["ids"] == expected["features"]["ids"]
    assert found["rows_sha256"] == expected["rows_sha256"]
    (tmp_path / "report.json").write_text(json.dumps([expected, found], indent=2))

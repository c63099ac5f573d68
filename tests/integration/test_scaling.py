"""Featurizer and scorer go from one replica to three and back while the market runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.audit import audit
from local.content import Content
from plumbing.kafka import KafkaSettings
from simulator.market import frames
from tests.adapter.conftest import FakeV2
from tests.integration.pipeline import Market, Pipeline, Process, ended, eventually, ready

# Partitions 9, 8, 5, 6, 1 and 2 of 12: two for each third of them, which is one replica's.
PRODUCTS = "BTC-USD,ETH-USD,SOL-USD,ADA-USD,XRP-USD,DOGE-USD"
SECONDS = 420
START_US = 1_704_067_200_000_000


@pytest.fixture
def v2() -> Iterator[FakeV2]:
    """A V2 server of both variants."""
    server = FakeV2()
    yield server
    server.close()


def whole(pipeline: Pipeline, simulator: Process) -> dict[str, Any]:
    """Wait for the end of the market, and audit what is in the topics."""
    eventually(lambda: ended(simulator), "the end of the market", 200)
    market = frames(7, PRODUCTS.split(","), START_US, SECONDS)
    report = audit(pipeline.kafka, Content(market), 60.0)
    assert report["whole"], json.dumps(report, indent=2)
    return report


def one_replica(kafka: KafkaSettings, v2: FakeV2, folder: Path) -> dict[str, Any]:
    """The report of a run that nobody disturbs."""
    pipeline = Pipeline(kafka, Market(PRODUCTS, SECONDS, speed=25.0), v2.url, folder)
    try:
        simulator = pipeline.simulator()
        ready(simulator, pipeline.featurizer(), pipeline.scorer())
        pipeline.ingestor()
        return whole(pipeline, simulator)
    finally:
        pipeline.close()


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
    prefix = kafka_settings.topic_prefix
    alone = kafka_settings.model_copy(update={"topic_prefix": prefix + "alone-"})
    expected = one_replica(alone, v2, tmp_path)
    pipeline = Pipeline(kafka_settings, Market(PRODUCTS, SECONDS, speed=6.0), v2.url, tmp_path)
    try:
        simulator = pipeline.simulator()
        featurizers, scorers = [pipeline.featurizer()], [pipeline.scorer()]
        ready(simulator, *featurizers, *scorers)
        pipeline.ingestor()
        eventually(lambda: scorers[0].sample("scorer_predictions_total") > 500, "predictions")
        featurizers += [pipeline.featurizer(), pipeline.featurizer()]
        scorers += [pipeline.scorer(), pipeline.scorer()]
        each_works("featurizer", featurizers, "featurizer_rows_total")
        each_works("scorer", scorers, "scorer_predictions_total")
        assert [featurizers[0].end(), scorers[1].end()] == [0, 0]
        featurizers[1].kill()
        scorers[0].kill()
        eventually(
            lambda: [s.sample("featurizer_partitions") for s in featurizers[2:]] == [12.0]
            and scorers[2].sample("scorer_partitions") == 12.0,
            "all partitions with those that are left",
        )
        assert not ended(simulator), "the market must outlast the changes"
        found = whole(pipeline, simulator)
        assert found["features"]["ids"] == expected["features"]["ids"]
        assert found["rows_sha256"] == expected["rows_sha256"]
        (tmp_path / "report.json").write_text(json.dumps([expected, found], indent=2))
    finally:
        pipeline.close()

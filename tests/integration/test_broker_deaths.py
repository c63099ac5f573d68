"""Three brokers, one after the other gone under load: nothing is lost, no process ends."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from ingestor.topics import TOPICS
from local.audit import audit
from local.content import Content
from plumbing.kafka import ensure_topics
from serving.switch import write_control
from tests.integration.pipeline import Market, Pipeline, published, ready
from tests.integration.quorum import NODES, Quorum
from tests.serving.fake_v2 import FakeV2
from tests.waiting import eventually

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(400),
]

MARKET = Market(speed=6.0)


@pytest.fixture(scope="module")
def quorum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quorum]:
    """Three running nodes."""
    with Quorum(tmp_path_factory.mktemp("quorum")) as running:
        yield running


@pytest.fixture
def v2() -> Iterator[FakeV2]:
    """A V2 server of both variants."""
    server = FakeV2()
    yield server
    server.close()


def test_topics_need_all_copies_but_one(quorum: Quorum) -> None:
    """Three copies, two of which must have a record before it counts as taken."""
    settings = quorum.settings.model_copy(update={"topic_prefix": "copies-"})
    ensure_topics(settings, TOPICS)
    admin = KafkaAdminClient(**settings.client())
    try:
        described = admin.describe_topics(["copies-ticks", "copies-control"])
        asked = [ConfigResource(ConfigResourceType.TOPIC, "copies-ticks")]
        configs = str(admin.describe_configs(asked))
    finally:
        admin.close()
    assert {len(p["replica_nodes"]) for t in described for p in t["partitions"]} == {3}
    assert "'min.insync.replicas'" in configs and "'value': '2'" in configs


def test_nothing_is_lost_while_brokers_die(quorum: Quorum, v2: FakeV2, tmp_path: Path) -> None:
    """Every tick, row and prediction is there at least once, and repeats have equal bits."""
    kafka = quorum.settings.model_copy(update={"topic_prefix": "deaths-"})
    pipeline = Pipeline(kafka, MARKET, v2.url, tmp_path)
    try:
        simulator = pipeline.simulator()
        ready(simulator)
        services = [pipeline.featurizer(), pipeline.scorer()]
        ready(*services)
        services.append(pipeline.ingestor())
        eventually(lambda: services[1].sample("scorer_predictions_total") > 50, "predictions")
        pauses: list[tuple[float, float]] = []
        for node in range(1, NODES + 1):
            quorum.stop(node, signal.SIGKILL if node == 2 else signal.SIGTERM)
            before, began = services[1].sample("scorer_predictions_total"), time.monotonic()
            eventually(
                lambda n=before: services[1].sample("scorer_predictions_total") > n + 50,
                f"predictions without node {node}",
            )
            without = time.monotonic() - began
            quorum.start(node)
            pauses.append((round(without, 1), round(quorum.await_whole(), 1)))
        write_control(kafka, "baseline", "ann", time.time_ns() // 1_000)
        switched = 'scorer_serving_variant{variant="baseline"} 1.0'
        eventually(lambda: switched in services[1].get("/metrics")[1], "a switch after the deaths")
        assert all(process.process.poll() is None for process in services)
        report = audit(kafka, Content(published(kafka, MARKET, services[2])), 60.0)
        assert report["whole"], report
        (tmp_path / "report.json").write_text(json.dumps(report | {"pauses": pauses}, indent=2))
        assert [process.end() for process in services] == [0, 0, 0]
    finally:
        pipeline.close()

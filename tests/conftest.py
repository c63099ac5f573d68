"""What tests of several packages share."""

import os
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

with warnings.catch_warnings():
    # kafka-python reads its schemas by a deprecated call, once, at import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from plumbing.kafka import KafkaSettings

from local.broker import Broker
from tests.serving.fake_v2 import FakeV2

# The same examples on every run, and none is too slow for a busy machine.
hypothesis.settings.load_profile("ci")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of real captures beside the repository; skips by name where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("real captures: no folder ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of independently computed rows; skips by name where it is absent."""
    folder = SHARED / "golden"
    if not folder.is_dir():
        pytest.skip("golden rows: no folder ../shared/golden beside the repository")
    return folder


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A running Apache Kafka: that of KAFKA_BOOTSTRAP_SERVERS, else an embedded one."""
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield KafkaSettings()
        return
    with Broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield KafkaSettings(bootstrap_servers=broker.bootstrap_servers)


@pytest.fixture
def topics_prefix() -> str:
    """A topic prefix that no other test has."""
    return f"test-{uuid.uuid4().hex[:8]}-"


@pytest.fixture
def kafka_settings(kafka: KafkaSettings, topics_prefix: str) -> KafkaSettings:
    """A running Apache Kafka with topics of this test's own."""
    return kafka.model_copy(update={"topic_prefix": topics_prefix})


@pytest.fixture
def patient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for seconds is no model server that is gone."""
    monkeypatch.setattr("serving.client.CONNECT_SECONDS", 60.0)
    monkeypatch.setattr("serving.connections.KEEP_ALIVE_SECONDS", 60.0)


@pytest.fixture
def v2(patient_client: None) -> Iterator[FakeV2]:
    """A V2 server of both variants."""
    server = FakeV2()
    yield server
    server.close()


@pytest.fixture
def make_v2(patient_client: None) -> Iterator[Callable[[], FakeV2]]:
    """Starts further V2 servers."""
    servers: list[FakeV2] = []

    def make() -> FakeV2:
        servers.append(FakeV2())
        return servers[-1]

    yield make
    for server in servers:
        server.close()

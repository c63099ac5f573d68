"""What tests of several packages share."""

import gc
import os
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

# Before numpy is imported, and for processes too: what is computed here is small, tests run side
# by side, and threads that wait for their like burn a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis
import pytest
import pytest_timeout
from xdist.scheduler import LoadScopeScheduling

with warnings.catch_warnings():
    # kafka-python reads its schemas by a deprecated call, once, at import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from plumbing.kafka import KafkaSettings

from ingestor.tick import Break, Tick
from tests.guard import Guard
from tests.serving.fake_v2 import FakeV2
from tests.sharing import SharedBroker
from tests.waiting import slowness

# The same examples on every run, and none is too slow for a busy machine.
hypothesis.settings.load_profile("ci")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
MARKED_BY = {"kafka": "kafka", "processes": "process"}
"""Marks that tests get from the fixtures they use, by fixture."""
TOOLS = ("CHART_TEST", "COMPOSE_TEST", "KIND_TEST", "PAGE_TEST", "UPGRADE_TEST")
WITH_TOOLS = any(os.environ.get(name) for name in TOOLS)
"""Whether this is a target of its own, whose tests run helm, docker and kubectl."""
ONE_WORKER = ("tests/serving/", "tests/promotion/")
"""Rooms whose tests share a fixture that takes seconds; of the others each file is one scope."""
GUARD = Guard()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests by their fixtures, and begin with those that may take longest."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for fixture, mark in MARKED_BY.items():
            if fixture in fixtures:
                item.add_marker(mark)
        if WITH_TOOLS:
            item.add_marker("process")
    if hasattr(config, "workerinput"):
        items.sort(key=_usual_seconds, reverse=True)


class ByRoom(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives a worker whole files, and whole rooms where a file is not enough."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((room for room in ONE_WORKER if path.startswith(room)), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRoom:
    """Part the tests by room: xdist 3.8 makes no groups of its own under pytest 9.2."""
    return ByRoom(config, log)


def _usual_seconds(item: pytest.Item) -> float:
    """How long a test may take at most, as it says; those of the broker before the others."""
    timeout = item.get_closest_marker("timeout")
    return float(timeout.args[0]) if timeout else float("kafka" in item.keywords)


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what imports made: it stays anyway."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Hold each test to its marks."""
    if any(item.get_closest_marker(mark) for mark in MARKED_BY.values()):
        return (yield)
    with GUARD.forbidding(item.nodeid):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> bool:
    """End a test that hangs, no sooner than ``eventually`` ends one that waits in vain."""
    longer = settings._replace(timeout=settings.timeout * 2 * slowness())
    pytest_timeout.pytest_timeout_set_timer(item, longer)
    return True


@pytest.fixture(autouse=True)
def swept(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test of the broker left open is found in it, not in one that comes later."""
    yield
    if request.node.get_closest_marker("kafka"):
        gc.collect()


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
def processes() -> None:
    """Asked for by fixtures that start processes: their tests are marked ``process``."""


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> KafkaSettings:
    """A running Apache Kafka: that of KAFKA_BOOTSTRAP_SERVERS, else one that all workers share."""
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return KafkaSettings()
    base = tmp_path_factory.getbasetemp()
    shared = SharedBroker((base.parent if hasattr(pytestconfig, "workerinput") else base) / "kafka")
    # Not at the end of the last test: who started it waits there for the other workers.
    pytestconfig.add_cleanup(shared.release)
    return KafkaSettings(bootstrap_servers=shared.obtain())


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


@pytest.fixture
def tick() -> Callable[..., Tick]:
    """Make a Tick at seconds of event time, with a mid and a spread of 2."""

    def make(seconds: float, mid: float = 100.0, feed: str = "f", product: str = "BTC-USD") -> Tick:
        return Tick(
            feed=feed,
            product_id=product,
            dialect="advanced",
            time_us=round(seconds * 1_000_000),
            received_us=0,
            price=mid,
            bid=mid - 1,
            ask=mid + 1,
        )

    return make


@pytest.fixture
def lost() -> Callable[[float], Break]:
    """Make a Break at seconds of event time."""

    def make(seconds: float) -> Break:
        return Break(
            feed="f",
            product_id="BTC-USD",
            dialect="advanced",
            time_us=round(seconds * 1_000_000),
            received_us=0,
            reason="silent",
        )

    return make

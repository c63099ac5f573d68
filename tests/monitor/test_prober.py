"""The prober against a tiny adapter."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from featurizer.features import NAMES
from featurizer.row import FeatureRow, encode
from ingestor.topics import FEATURES
from monitor.config import Settings
from monitor.metrics import MonitorMetrics
from monitor.prober import NewestRow, Prober, result_of
from monitor.reading import Reopened
from plumbing.kafka import Partition
from plumbing.tracing.trace import UNTRACED, Tracer
from tests.featurizer.market import START
from tests.monitor.world import SECOND, Log, LogReader
from tests.ports import held_port


def row(n: int, product: str = "BTC-USD") -> FeatureRow:
    """A row with a null in it."""
    features: dict[str, float | None] = dict.fromkeys(NAMES, 0.5)
    features[NAMES[-1]] = None
    return FeatureRow(
        row_id=f"f:{product}:{n}:0",
        feed="f",
        product_id=product,
        time_us=START + n * SECOND,
        trade_id=0,
        dialect="advanced",
        mid=100.0,
        features=features,
        coverage=1.0,
    )


class Adapter:
    """Answers each probe alike and remembers what came."""

    def __init__(self, status: int = 200, text: str = '{"scores":[0.25]}') -> None:
        self.status, self.text = status, text
        self.seen: list[tuple[dict[str, str], Any]] = []

    async def predict(self, request: web.Request) -> web.Response:
        self.seen.append((dict(request.headers), await request.json()))
        return web.Response(status=self.status, text=self.text)


def probe(
    adapter: Adapter,
    newest: Callable[[], FeatureRow | None],
    tracer: Tracer = UNTRACED,
    **more: Any,
) -> tuple[str | None, CollectorRegistry]:
    """One probe; its result and the metrics after it."""
    registry = CollectorRegistry()

    async def once() -> str | None:
        app = web.Application()
        app.router.add_post("/predict", adapter.predict)
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            settings = Settings(adapter_url=str(server.make_url("/")), **more)
            metrics = MonitorMetrics(registry)
            prober = Prober(settings, metrics, newest, wall=lambda: 42.0, tracer=tracer)
            return await prober.probe(session)

    return asyncio.run(once()), registry


def test_posts_the_newest_row_with_its_nulls() -> None:
    """The request is one that any client could make, with a name of its own."""
    adapter = Adapter()
    assert probe(adapter, lambda: row(1), prober_key="k")[0] == "ok"
    headers, body = adapter.seen[0]
    assert body == {"rows": [row(1).features]}
    assert headers["User-Agent"] == "crypto-volatility-prober"
    assert headers["X-API-Key"] == "k"


def test_without_key_no_key_is_sent() -> None:
    """Keys may be off."""
    adapter = Adapter()
    probe(adapter, lambda: row(1))
    assert "X-API-Key" not in adapter.seen[0][0]


def test_nothing_is_sent_before_there_is_a_row() -> None:
    """There is no made-up traffic."""
    adapter = Adapter()
    assert probe(adapter, lambda: None)[0] is None
    assert adapter.seen == []


def test_good_answer_is_measured() -> None:
    """Count, time and the last success are told."""
    _, registry = probe(Adapter(), lambda: row(1))
    value = registry.get_sample_value
    assert value("monitor_probe_requests_total", {"result": "ok"}) == 1.0
    assert value("monitor_probe_duration_seconds_bucket", {"le": "0.8"}) is not None
    assert value("monitor_probe_duration_seconds_count") == 1.0
    assert (value("monitor_probe_duration_seconds_sum") or 0.0) > 0
    assert value("monitor_probe_last_success_timestamp_seconds") == 42.0


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, b'{"scores":[0.5],"version":"x"}', "ok"),
        (200, b'{"scores":[]}', "bad_answer"),
        (200, b'{"scores":[1.5]}', "bad_answer"),
        (200, b"<html>", "bad_answer"),
        (422, b"", "client_error"),
        (429, b"", "rate_limited"),
        (500, b"", "server_error"),
        (503, b"", "server_error"),
    ],
)
def test_names_what_an_answer_means(status: int, body: bytes, result: str) -> None:
    """Only a finite score in [0, 1] is a good answer."""
    assert result_of(status, body) == result


def test_failure_is_no_success() -> None:
    """The time of the last success stays."""
    result, registry = probe(Adapter(503, ""), lambda: row(1))
    assert result == "server_error"
    assert registry.get_sample_value("monitor_probe_last_success_timestamp_seconds") == 0.0


def test_absent_adapter_is_unreachable() -> None:
    """No connection is a result like others."""
    registry = CollectorRegistry()
    settings = Settings(adapter_url=f"http://127.0.0.1:{held_port()}")

    async def once() -> str | None:
        async with aiohttp.ClientSession() as session:
            return await Prober(settings, MonitorMetrics(registry), lambda: row(1)).probe(session)

    assert asyncio.run(once()) == "unreachable"


def test_probes_again_and_again() -> None:
    """It goes on at its interval, failures or not."""
    adapter = Adapter(500, "")

    async def some() -> None:
        app = web.Application()
        app.router.add_post("/predict", adapter.predict)
        async with TestServer(app) as server:
            settings = Settings(adapter_url=str(server.make_url("/")), probe_seconds=0.01)
            running = asyncio.create_task(
                Prober(settings, MonitorMetrics(CollectorRegistry()), lambda: row(1)).run()
            )
            await reached(lambda: len(adapter.seen) >= 3)
            running.cancel()

    asyncio.run(some())


async def reached(condition: Callable[[], bool]) -> None:
    """Wait for at most a minute."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 60
    while not condition():
        assert loop.time() < deadline
        nothing: Awaitable[None] = asyncio.sleep(0.01)
        await nothing


class FeatureLog(Log):
    """A log with the topic ``features`` alone."""

    def __init__(self) -> None:
        super().__init__()
        self.records = {Partition(FEATURES.name, number): [] for number in range(2)}

    def row(self, made: FeatureRow) -> None:
        self.append(FEATURES.name, made.product_id, encode(made))


def test_newest_row_is_the_last_to_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrival decides, over all partitions; event time may run backwards."""
    monkeypatch.setattr("monitor.prober.LOOK_SECONDS", 60.0)
    log = FeatureLog()
    newest = NewestRow(Reopened(lambda: LogReader(log, most=5)))
    assert newest() is None
    for n in (5, 6, 7, 8, 9):
        log.row(row(n))
    log.row(row(1, "ETH-USD"))
    assert newest() == row(1, "ETH-USD")
    log.row(row(2))
    assert newest() == row(2)
    assert newest() == row(2)

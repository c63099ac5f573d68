"""The HTTP interface over a store in memory."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from monitor.config import Settings
from monitor.http.api import Surroundings, create_app
from monitor.http.board import Board, Hub, Shown
from monitor.http.store import BadCursor, Busy, Found, Page, Query
from monitor.http.stream import FrameHub
from monitor.metrics import MonitorMetrics
from monitor.page.stages import StageTimes
from monitor.reading import Reopened
from scorer.prediction import encode
from tests.featurizer.market import START, tick
from tests.monitor.page.world import Lived
from tests.monitor.test_quality import judged
from tests.monitor.world import SECOND, Log, LogReader, predicted

Client = Any


class MemoryStore:
    """Answers every query with one page, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Query] = []
        self.failure: Exception | None = None
        one = judged(0, True)
        waiting = predicted(tick(START + SECOND, trade_id=1))
        items = [Found(waiting, None), Found(one.prediction, one.outcome)]
        self.answer = Page(items, "0.7.00000000", 2)

    def page(self, query: Query) -> Page:
        self.asked.append(query)
        if self.failure:
            raise self.failure
        return self.answer

    def close(self) -> None:
        """Nothing is open."""


class Service:
    """The application with everything in memory."""

    def __init__(self, **more: Any) -> None:
        self.board, self.store, self.log = Board(), MemoryStore(), Log()
        self.ready = {"running": True, "state_rebuilt": True}
        self.dropped = 0
        registry = CollectorRegistry()
        MonitorMetrics(registry)
        settings = Settings(**more)
        self.hub = Hub(settings.stream_queue, self.drop)
        self.lived, self.stages = Lived(), StageTimes()
        self.frames = FrameHub(self.lived.live.frame, self.lived.live.beat, lambda: START / SECOND)
        self.around = Surroundings(
            settings=settings,
            board=self.board,
            hub=self.hub,
            store=self.store,
            signals=Reopened(lambda: LogReader(self.log)),
            track=Reopened(lambda: LogReader(self.log)),
            live=self.lived.live,
            stages=self.stages,
            ledger=Reopened(lambda: LogReader(self.log)),
            frames=self.frames,
            registry=registry,
            alive=lambda: True,
            ready=lambda: self.ready,
            health=lambda: {"status": "ok"},
        )

    def drop(self) -> None:
        self.dropped += 1

    def show(self, n: int, product: str = "BTC-USD", **more: Any) -> Shown:
        made = predicted(tick(START + n * SECOND, trade_id=n, product_id=product), **more)
        shown = Shown(made, encode(made), 0)
        self.board.show(shown)
        self.hub.publish([shown])
        return shown


def ask(service: Service, what: Callable[[Client], Awaitable[Any]]) -> Any:
    """Run one conversation with the application."""

    async def talk() -> Any:
        async with TestClient(TestServer(create_app(service.around))) as client:
            return await asyncio.wait_for(what(client), 60)

    return asyncio.run(talk())


def get(service: Service, path: str) -> tuple[int, Any, str]:
    """Status, JSON and content type of one GET."""

    async def once(client: Client) -> tuple[int, Any, str]:
        async with client.get(path) as answer:
            return answer.status, await answer.json(content_type=None), answer.content_type

    found: tuple[int, Any, str] = ask(service, once)
    return found


@pytest.fixture
def service() -> Service:
    """Two products with a prediction each."""
    service = Service()
    service.show(1)
    service.show(2)
    service.show(1, "ETH-USD")
    return service


def test_latest_of_a_product_is_its_prediction(service: Service) -> None:
    """The answer is the Prediction as it stands in the topic."""
    status, body, _ = get(service, "/predictions/latest?product=BTC-USD")
    assert (status, body["trade_id"], body["score"]) == (200, 2, 0.75)


def test_latest_without_product_gives_all(service: Service) -> None:
    """One for each product, by name."""
    _, body, _ = get(service, "/predictions/latest")
    assert [p["product_id"] for p in body["predictions"]] == ["BTC-USD", "ETH-USD"]


def test_late_prediction_is_not_the_latest(service: Service) -> None:
    """A repeat of an older row does not go back in time; another feed does."""
    service.show(1)
    assert get(service, "/predictions/latest?product=BTC-USD")[1]["trade_id"] == 2
    made = predicted(tick(START, trade_id=0, feed="g"))
    service.board.show(Shown(made, encode(made), 0))
    assert get(service, "/predictions/latest?product=BTC-USD")[1]["feed"] == "g"


@pytest.mark.parametrize("path", ["latest?product=X", "?product=X", "stream?product=X"])
def test_unknown_product_is_404_naming_the_known(service: Service, path: str) -> None:
    """The problem says what could have been asked."""
    route = f"/predictions/{path}" if path[0] != "?" else f"/predictions{path}"
    status, body, kind = get(service, route)
    assert (status, kind) == (404, "application/problem+json")
    assert body["products"] == ["BTC-USD", "ETH-USD"]
    assert "found 'X', expected" in body["detail"]


def test_page_carries_outcomes_and_cursor(service: Service) -> None:
    """Outcomes are attached where they have matured."""
    status, body, _ = get(service, "/predictions?product=BTC-USD")
    assert status == 200
    assert [p["outcome"] and p["outcome"]["label"] for p in body["predictions"]] == [None, True]
    assert (body["next"], body["scanned"], body["outcomes_complete"]) == ("0.7.00000000", 2, True)


def test_parameters_reach_the_store(service: Service) -> None:
    """Times may be ISO-8601 or epoch microseconds."""
    get(
        service,
        "/predictions?product=BTC-USD&from=2023-11-14T22:13:20Z&to=1700000060000000"
        "&limit=7&cursor=0.7.00000000",
    )
    wanted = Query("BTC-USD", START, START + 60 * SECOND, 7, "0.7.00000000")
    assert service.store.asked == [wanted]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "product"),
        ("?product=", "product"),
        ("?product=BTC-USD&from=yesterday", "from"),
        ("?product=BTC-USD&to=17", "to"),
        ("?product=BTC-USD&limit=0", "limit"),
        ("?product=BTC-USD&limit=1001", "limit"),
        ("?product=BTC-USD&limit=ten", "limit"),
        ("?product=BTC-USD&produkt=x", "produkt"),
        ("?product=BTC-USD&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
    ],
)
def test_bad_parameter_is_422_naming_it(service: Service, query: str, parameter: str) -> None:
    """The problem says what was found and what was expected."""
    status, body, kind = get(service, "/predictions" + query)
    assert (status, kind, body["parameter"]) == (422, "application/problem+json", parameter)
    assert "found" in body["detail"] and "expected" in body["detail"]
    assert service.store.asked == []


def test_foreign_cursor_is_422(service: Service) -> None:
    """The store's refusal is the client's error."""
    service.store.failure = BadCursor("cursor: found 'x', expected the `next` of an earlier page")
    assert get(service, "/predictions?product=BTC-USD&cursor=x")[0] == 422


def test_busy_store_is_503(service: Service) -> None:
    """The client may come again."""
    service.store.failure = Busy("other queries")
    assert get(service, "/predictions?product=BTC-USD")[0] == 503


def test_unexpected_failure_is_500_without_details(service: Service) -> None:
    """Nothing of the inside is told outside."""
    service.store.failure = RuntimeError("secret")
    status, body, kind = get(service, "/predictions?product=BTC-USD")
    assert (status, kind) == (500, "application/problem+json")
    assert "secret" not in json.dumps(body)


def test_unknown_path_is_a_problem(service: Service) -> None:
    """The router's errors have the same form."""
    assert get(service, "/nothing")[::2] == (404, "application/problem+json")


def test_probes_name_what_is_missing(service: Service) -> None:
    """Readiness needs the rebuilt state; life does not."""
    service.ready["state_rebuilt"] = False
    assert get(service, "/readyz")[:2] == (503, {"ready": False, "missing": ["state_rebuilt"]})
    assert get(service, "/healthz")[0] == 200
    assert get(service, "/health")[0] == 503


def test_metrics_are_served(service: Service) -> None:
    """In the text format of Prometheus."""

    async def once(client: Client) -> str:
        async with client.get("/metrics") as answer:
            text: str = await answer.text()
            return text

    assert 'monitor_outcomes_total{result="spike"} 0.0' in ask(service, once)


async def lines_of(answer: ClientResponse, count: int) -> list[str]:
    """The next lines of a stream that say something."""
    found: list[str] = []
    while len(found) < count:
        line = (await answer.content.readline()).decode().strip()
        if line:
            found.append(line)
    return found


def test_stream_begins_with_the_latest(service: Service) -> None:
    """A new subscriber knows at once where things stand."""

    async def listen(client: Client) -> list[str]:
        async with client.get("/predictions/stream?product=BTC-USD") as answer:
            assert answer.content_type == "text/event-stream"
            return await lines_of(answer, 4)

    lines = ask(service, listen)
    latest = service.board.latest("BTC-USD")
    assert latest is not None
    assert lines[1:3] == [f"id: {latest.prediction.prediction_id}", "event: prediction"]
    assert json.loads(lines[3].removeprefix("data: "))["trade_id"] == 2


def test_stream_gives_new_predictions_of_its_product(service: Service) -> None:
    """What other products do is not told."""

    async def listen(client: Client) -> list[str]:
        async with client.get("/predictions/stream?product=BTC-USD") as answer:
            await lines_of(answer, 4)
            service.show(5, "ETH-USD")
            service.show(3)
            return await lines_of(answer, 3)

    assert json.loads(ask(service, listen)[2].removeprefix("data: "))["trade_id"] == 3


def test_stream_goes_on_after_the_last_event_id(service: Service) -> None:
    """A client that was away for a moment misses nothing."""
    first = service.show(3).prediction.prediction_id
    service.show(4)
    service.show(5)

    async def listen(client: Client) -> list[str]:
        headers = {"Last-Event-ID": first}
        async with client.get("/predictions/stream", headers=headers) as answer:
            return await lines_of(answer, 7)

    lines = ask(service, listen)
    told = [json.loads(line.removeprefix("data: ")) for line in lines if line[:5] == "data:"]
    assert [one["trade_id"] for one in told] == [4, 5]


def test_stream_says_when_something_was_missed(service: Service) -> None:
    """An id that is not remembered: the client is told before it gets the latest."""

    async def listen(client: Client) -> list[str]:
        headers = {"Last-Event-ID": "long-ago"}
        async with client.get("/predictions/stream?product=BTC-USD", headers=headers) as answer:
            assert answer.headers["X-Accel-Buffering"] == "no"
            return await lines_of(answer, 5)

    lines = ask(service, listen)
    assert lines[1:3] == ["event: missed", 'data: {"after": "long-ago"}']
    assert lines[4] == "event: prediction"


def test_quiet_stream_gets_heartbeats() -> None:
    """A comment keeps the connection open."""
    service = Service(stream_heartbeat_seconds=0.05)

    async def listen(client: Client) -> list[str]:
        async with client.get("/predictions/stream") as answer:
            return await lines_of(answer, 2)

    assert ask(service, listen)[1] == ": heartbeat"


def test_slow_client_is_dropped() -> None:
    """A client that does not read is cut off and forgotten."""
    service = Service(stream_queue=3)

    async def listen(client: Client) -> None:
        async with client.get("/predictions/stream") as answer:
            await lines_of(answer, 1)
            batch = [service.show(n) for n in range(3)]
            service.hub.publish(batch * 3)
            await answer.content.read()

    with pytest.raises(Exception, match=r"disconnected|closed|payload|reset"):
        ask(service, listen)
    assert (service.dropped, len(service.hub)) == (1, 0)


def test_close_ends_all_streams(service: Service) -> None:
    """On SIGTERM no client keeps the process."""

    async def listen(client: Client) -> bytes:
        async with client.get("/predictions/stream") as answer:
            await lines_of(answer, 4)
            service.hub.close()
            rest: bytes = await answer.content.read()
            return rest

    ask(service, listen)
    assert len(service.hub) == 0

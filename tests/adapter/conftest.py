"""A deterministic V2 server and the adapter in front of it."""

import asyncio
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from adapter.app import create_app
from adapter.config import AdapterSettings
from adapter.control import Serving
from adapter.schema import EXAMPLE
from adapter.v2_client import V2Client
from featurizer.features import FEATURES_DIGEST, NAMES
from plumbing.trace import UNTRACED, Tracer
from serving.linear import Linear
from tests.ports import held_port

with warnings.catch_warnings():
    # Starlette's client names a class by its old place in anyio, once, at import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from starlette.testclient import TestClient

COEFFICIENTS = {"ml": 2.0, "baseline": -1.0}


def linear(variant: str) -> Linear:
    """A model of one feature, different for each variant."""
    name = ("realized_volatility_60s",)
    return Linear(variant, name, (0.001,), (0.001,), (0.0005,), (COEFFICIENTS[variant],), 0.0)


class FakeV2:
    """Answers like MLServer; ``scores``, ``hang`` and so on may be changed while it runs."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.traceparents: list[str | None] = []
        self.status: dict[str, int] = {}
        self.scores: list[float] | None = None
        self.parameters: dict[str, Any] = {}
        self.waiting = threading.Event()
        self.hang = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = held_port()
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._call(self._start())

    def stop(self) -> None:
        self._call(self._runner.cleanup())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _start(self) -> None:
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((request.method, request.path, body))
        self.traceparents.append(request.headers.get("traceparent"))
        parts = request.path.strip("/").split("/")
        variant = parts[2] if len(parts) > 2 and parts[1] == "models" else ""
        while self.hang:
            self.waiting.set()
            await asyncio.sleep(0.01)
        if self.status.get(variant, 200) != 200:
            status = self.status[variant]
            return web.json_response({"error": f"Model {variant} not found"}, status=status)
        if request.method == "POST" and request.path.endswith("/infer"):
            return self._infer(variant, json.loads(body))
        return web.json_response({"path": request.path, "x": [1.0, None]}, headers={"X-Own": "1"})

    def _infer(self, variant: str, asked: dict[str, Any]) -> web.Response:
        if "inputs" not in asked:
            return web.json_response({"error": "no inputs"}, status=422)
        [tensor] = asked["inputs"]
        assert tensor["name"] == "features" and tensor["datatype"] == "FP64"
        n, width = tensor["shape"]
        assert width == len(NAMES) and len(tensor["data"]) == n * width
        rows = [tensor["data"][i * width : (i + 1) * width] for i in range(n)]
        scores = self.scores or [linear(variant).score(row) for row in rows]
        output = {"name": "score", "shape": [len(scores)], "datatype": "FP64", "data": scores}
        parameters = parameters_of(variant) | self.parameters
        return web.json_response(
            {
                "model_name": variant,
                "model_version": "1",
                "id": "1",
                "parameters": parameters,
                "outputs": [output],
            }
        )


def parameters_of(variant: str) -> dict[str, Any]:
    """What a model says of itself."""
    digest = ("a" if variant == "ml" else "b") * 64
    return {
        "model_variant": variant,
        "version": digest[:12],
        "digest": digest,
        "features_digest": FEATURES_DIGEST,
        "dialect": "advanced",
        "tau": json.dumps({"BTC-USD": 0.0012}),
        "threshold": json.dumps({"BTC-USD": 0.5}),
    }


@dataclass
class Clock:
    """Seconds that only move when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Adapter:
    """The running adapter and what a test may turn."""

    client: TestClient
    serving: Serving
    clock: Clock
    registry: CollectorRegistry
    control: list[str] = field(default_factory=lambda: ["followed"])

    def predict(self, *rows: dict[str, Any], **kwargs: Any) -> Any:
        return self.client.post("/predict", json={"rows": list(rows)}, **kwargs)

    def sample(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, labels)
        return 0.0 if value is None else value


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for seconds is no model server that is gone."""
    monkeypatch.setattr("adapter.v2_client.CONNECT_SECONDS", 60.0)
    monkeypatch.setattr("adapter.connections.KEEP_ALIVE_SECONDS", 60.0)
    monkeypatch.setattr("adapter.models.LONGEST_LOOK_SECONDS", 60.0)


@pytest.fixture
def row() -> dict[str, Any]:
    """A right row."""
    return dict(EXAMPLE)


@pytest.fixture
def v2() -> Iterator[FakeV2]:
    """A V2 server of both variants."""
    server = FakeV2()
    yield server
    server.close()


@pytest.fixture
def make_v2() -> Iterator[Callable[[], FakeV2]]:
    """Starts further V2 servers."""
    servers: list[FakeV2] = []

    def make() -> FakeV2:
        servers.append(FakeV2())
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def adapter(v2: FakeV2) -> Iterator[Callable[..., Adapter]]:
    """Starts the adapter: settings by name, and ``fallback``, ``peer`` where they matter."""
    running: list[TestClient] = []

    def start(
        fallback: Any = None,
        peer: str = "198.51.100.1",
        url: str | None = None,
        tracer: Tracer = UNTRACED,
        **settings: Any,
    ) -> Adapter:
        clock, registry = Clock(), CollectorRegistry()
        patient = {"model_timeout_seconds": 60.0} | settings
        chosen = AdapterSettings(model_url=url or v2.url, **patient)
        serving, control = Serving(chosen.variant), ["followed"]
        timeout = chosen.model_timeout_seconds
        client = V2Client(chosen.model_url, timeout=timeout, tracer=tracer)
        app = create_app(
            chosen,
            client,
            serving,
            registry=registry,
            fallback=fallback,
            control=lambda: control[-1],
            opened=client,
            clock=clock,
            now_us=lambda: 1_763_812_800_000_001,
            service_version="0.1.0",
            tracer=tracer,
        )
        http = TestClient(app, client=(peer, 50_000), raise_server_exceptions=False)
        running.append(http.__enter__())
        return Adapter(http, serving, clock, registry, control)

    yield start
    for client in running:
        client.__exit__(None, None, None)

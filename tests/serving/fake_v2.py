"""A V2 server of this process, in place of MLServer."""

import asyncio
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from featurizer.features import FEATURES, FEATURES_DIGEST, NAMES, REQUIRED, digest_of
from serving.card import ModelInfo
from serving.linear import Linear
from serving.predictor import RelativePredictor, RowPredictor, outputs_of
from serving.relative import Chances, Relative
from serving.tensor import rows_of, width_for
from serving.v2 import parameters_of
from tests.ports import held_port

COEFFICIENTS = {"ml": 2.0, "baseline": -1.0}


def linear(variant: str) -> Linear:
    """A model of one feature, different for each variant."""
    name = ("realized_volatility_60s",)
    return Linear(variant, name, (0.001,), (0.001,), (0.0005,), (COEFFICIENTS[variant],), 0.0)


class FakeV2:
    """Answers like MLServer; ``scores``, ``hang`` and so on may be changed while it runs."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.requests: list[tuple[str, str, bytes]] = []
        self.traceparents: list[str | None] = []
        self.status: dict[str, int] = {}
        self.scores: list[float] | None = None
        self.parameters: dict[str, Any] = {}
        self.takes = tuple(range(len(REQUIRED), width_for(len(NAMES), tau=True) + 1))
        self.models: dict[str, RowPredictor] = {name: linear(name) for name in COEFFICIENTS}
        self.widths: list[int] = []
        self.waiting = threading.Event()
        self.hang = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = held_port()
        self.start()

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

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
        site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True)
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
        self.widths.append(tensor["shape"][-1])
        if self.widths[-1] not in self.takes:
            return web.json_response({"error": "features has another shape"}, status=400)
        rows = rows_of(**{part: tensor[part] for part in ("name", "datatype", "shape", "data")})
        model = self.models[variant]
        outputs = outputs_of(model, rows)
        if self.scores is not None:
            outputs["score"] = self.scores
        info = info_of(variant)
        if isinstance(model, RelativePredictor):
            info = relative_info(variant, model.default_tau)
        answer = answer_of(info, **outputs)
        answer["parameters"] |= self.parameters
        return web.json_response(answer)


def info_of(variant: str) -> ModelInfo:
    """What a model of the first release's features says of itself."""
    digest = ("a" if variant == "ml" else "b") * 64
    tau, threshold = {"BTC-USD": 0.0012}, {"BTC-USD": 0.5}
    features = digest_of(FEATURES[: len(REQUIRED)])
    return ModelInfo(
        variant, digest[:12], digest, features, "advanced", tau=tau, threshold=threshold
    )


def relative_info(variant: str, default_tau: float) -> ModelInfo:
    """What a model in units of τ says of itself."""
    budgets = {"2": 0.4, "4": 0.3, "8": 0.2, "16": 0.1}
    return replace(
        info_of(variant),
        features_digest=FEATURES_DIGEST,
        tau={},
        threshold={},
        default_tau=default_tau,
        thresholds={"elevated": budgets, "spike": budgets},
    )


def relative(variant: str = "ml") -> RelativePredictor:
    """A model in units of τ, of the first window alone."""
    model = Relative(variant, ((-1.0, 1.5),), ((-3.0, 1.5),), Chances(0.09, 0.02))
    return RelativePredictor(model, 0.0006)


def answer_of(
    info: ModelInfo, score: Sequence[float], severe: Sequence[float] | None = None
) -> dict[str, Any]:
    """What MLServer answers to an infer request, with what our runtime fills in."""
    return {
        "model_name": info.variant,
        "model_version": "1",
        "id": "1",
        "parameters": parameters_of(info),
        "outputs": [
            {"name": name, "shape": [len(values)], "datatype": "FP64", "data": list(values)}
            for name, values in (("score", score), ("severe", severe))
            if values is not None
        ],
    }

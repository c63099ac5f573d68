"""The monitor over HTTP: predictions, the stream of them, probes and metrics."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry

from monitor.config import Settings
from monitor.http.access import CHALLENGE, access_of
from monitor.http.board import Board, Hub, Listener, Shown
from monitor.http.drift_pages import DriftAway, pages_of
from monitor.http.faults import FaultRoutes
from monitor.http.history import HistoryRoutes
from monitor.http.operations import OperationRoutes
from monitor.http.page import PageRoutes
from monitor.http.requests import RequestProblem, json_bytes, limit_of, only, time_of
from monitor.http.states import StateRoutes
from monitor.http.store import Busy, Page, Query, QueryError, Store
from monitor.http.stream import FrameHub, StreamRoutes
from monitor.http.track import Track
from monitor.page.live import Live
from monitor.page.stages import StageTimes
from monitor.reading import Reopened
from plumbing.exposition import exposition
from plumbing.logs import get_logger

PROBLEM: Final = "application/problem+json"
SAID_WITH: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": CHALLENGE},
    503: {"Retry-After": "1"},
}
Health = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the routes stand on.

    ``alive`` and ``ready`` name what is needed and whether it is so; ``health`` tells more.
    """

    settings: Settings
    board: Board
    hub: Hub
    store: Store
    signals: Reopened
    track: Reopened
    live: Live
    stages: StageTimes
    ledger: Reopened
    frames: FrameHub
    registry: CollectorRegistry
    alive: Callable[[], bool]
    ready: Callable[[], Mapping[str, bool]]
    health: Health


def create_app(around: Surroundings) -> web.Application:
    """Make the application; it starts nothing by itself."""
    routes = _Routes(around)
    app = web.Application(middlewares=[_problems, access_of(around.settings).middleware()])
    app.router.add_get("/predictions/latest", routes.latest)
    app.router.add_get("/predictions/stream", routes.stream)
    app.router.add_get("/predictions", routes.predictions)
    app.router.add_get("/healthz", routes.healthz)
    app.router.add_get("/readyz", routes.readyz)
    app.router.add_get("/health", routes.health)
    app.router.add_get("/metrics", routes.metrics)
    most = around.settings.scan_records
    track = Track(around.board, around.track, most, stopped=lambda: _is_ending(around))
    states = StateRoutes(around.board, around.signals, most, track)
    app.router.add_get("/signals/now", states.now)
    app.router.add_get("/signals/record", states.record)
    app.router.add_get("/signals", states.signals)
    for path in ("/drift", "/drift.json", "/drift/{product}"):
        app.router.add_get(path, routes.drift)
    app.router.add_get("/signals/stream", StreamRoutes(around.frames).stream)
    app.router.add_get("/signals/history", HistoryRoutes(around.live, around.board.breaks).history)
    operations = OperationRoutes(around.live, around.stages, around.ledger)
    app.router.add_get("/service", operations.service)
    PageRoutes().add_to(app)
    if around.settings.faults_url:
        FaultRoutes(around.settings.faults_url).add_to(app)
    return app


def _is_ending(around: Surroundings) -> bool:
    return not around.ready().get("running", True)


class _Routes:
    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def latest(self, request: web.Request) -> web.Response:
        """Return the latest prediction of one product, or of all."""
        only(request, "product")
        board, name = self._around.board, request.query.get("product")
        if name is None:
            shown = b",".join(latest.json for latest in board.all_latest())
            return json_bytes(b'{"predictions":[' + shown + b"]}")
        self._known(name)
        latest = board.latest(name)
        assert latest is not None
        return json_bytes(latest.json)

    async def predictions(self, request: web.Request) -> web.Response:
        """Return a page of predictions by event time, newest first, with their outcomes."""
        only(request, "product", "from", "to", "limit", "cursor")
        query = _query(request)
        self._known(query.product_id)
        try:
            page = await asyncio.to_thread(self._around.store.page, query)
        except Busy as exc:
            raise RequestProblem(503, "Busy", str(exc)) from exc
        except QueryError as exc:
            raise RequestProblem(422, "Bad parameter", str(exc), parameter="cursor") from exc
        return json_bytes(_page(page))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send the latest predictions at once, then each new one, as server-sent events."""
        only(request, "product")
        name = request.query.get("product")
        if name is not None:
            self._known(name)
        hub = self._around.hub
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",  # nginx would keep events back
            }
        )
        after = request.headers.get("Last-Event-ID", "")
        listener = hub.listen(name, after)
        if request.transport is not None:
            listener.abort = request.transport.abort
        try:
            await response.prepare(request)
            await response.write(b"retry: 2000\n\n")
            if listener.missed:
                told = json.dumps({"after": after}).encode()
                await response.write(b"event: missed\ndata: " + told + b"\n\n")
            await self._send(response, listener)
        except ConnectionError:
            get_logger().debug("monitor.stream_client_left")
        finally:
            hub.leave(listener)
        return response

    async def healthz(self, request: web.Request) -> web.Response:
        """Return whether the process is alive."""
        alive = self._around.alive()
        return web.json_response({"alive": alive}, status=200 if alive else 503)

    async def readyz(self, request: web.Request) -> web.Response:
        """Return whether the state is rebuilt and the topics are being read."""
        missing = [name for name, there in self._around.ready().items() if not there]
        answer = {"ready": not missing, "missing": missing}
        return web.json_response(answer, status=503 if missing else 200)

    async def health(self, request: web.Request) -> web.Response:
        """Return what is well and what is not; 503 only where predictions cannot be answered."""
        ready = all(self._around.ready().values())
        told = {**self._around.health(), "faults": bool(self._around.settings.faults_url)}
        return web.json_response(told, status=200 if ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Return the metrics in the format that is asked for."""
        kind, body = exposition(self._around.registry, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": kind})

    async def drift(self, request: web.Request) -> web.Response:
        """Pass on what the drift process shows."""
        only(request)
        try:
            url, path = self._around.settings.drift_url, request.rel_url.raw_path
            return await pages_of(url, path, request.headers)
        except DriftAway as exc:
            raise RequestProblem(503, "Drift process away", str(exc)) from exc

    def _known(self, name: str) -> None:
        products = self._around.board.products()
        if name not in products:
            known = ", ".join(products) or "none yet"
            detail = f"product: found {name!r}, expected one with predictions: {known}"
            raise RequestProblem(404, "Unknown product", detail, products=products)

    async def _send(self, response: web.StreamResponse, listener: Listener) -> None:
        beat = self._around.settings.stream_heartbeat_seconds
        while True:
            try:
                shown = await asyncio.wait_for(listener.queue.get(), beat)
            except TimeoutError:
                await response.write(b": heartbeat\n\n")
                continue
            if shown is None or listener.dropped:
                return
            await response.write(_event(shown))


def _event(shown: Shown) -> bytes:
    name = shown.prediction.prediction_id.encode()
    return b"id: " + name + b"\nevent: prediction\ndata: " + shown.json + b"\n\n"


def _page(page: Page) -> bytes:
    items = [
        {**msgspec.to_builtins(found.prediction), "outcome": msgspec.to_builtins(found.outcome)}
        for found in page.items
    ]
    answer = {
        "predictions": items,
        "next": page.next,
        "scanned": page.scanned,
        "outcomes_complete": page.outcomes_complete,
    }
    return msgspec.json.encode(answer)


def _query(request: web.Request) -> Query:
    found = request.query
    if not found.get("product"):
        detail = "product: found none, expected one such as BTC-USD"
        raise RequestProblem(422, "Missing parameter", detail, parameter="product")
    from_us, to_us = time_of(found, "from"), time_of(found, "to")
    if from_us is not None and to_us is not None and from_us > to_us:
        detail = f"from: found {found['from']!r} after to {found['to']!r}, expected it before"
        raise RequestProblem(422, "Bad parameter", detail, parameter="from")
    return Query(found["product"], from_us, to_us, limit_of(found), found.get("cursor"))


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors as problem+json, our own and those of the router."""
    try:
        return await handler(request)
    except RequestProblem as exc:
        return _problem(exc.body, exc.status, SAID_WITH.get(exc.status, {}))
    except web.HTTPException as exc:
        body = {"type": "about:blank", "title": exc.reason, "status": exc.status}
        kept = {"Allow": exc.headers["Allow"]} if "Allow" in exc.headers else {}
        return _problem({**body, "detail": f"{request.method} {request.path}"}, exc.status, kept)
    except Exception as exc:
        get_logger().exception("monitor.request_failed", path=request.path, reason=repr(exc))
        body = {"type": "about:blank", "title": "Internal error", "status": 500}
        return _problem({**body, "detail": "see the monitor's log"}, 500, {})


def _problem(body: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": PROBLEM, **headers},
    )

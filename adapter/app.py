"""The front door: /predict, health, metrics and V2. The only place with HTTP status codes."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from adapter import schema
from adapter.access import Access, note_of
from adapter.bodies import Bodies, TooBusy, TooLarge, TooSlow
from adapter.config import Settings
from adapter.health import SERVICE, able, health, version
from adapter.limit import Limit
from adapter.metrics import NO_VARIANT, Metrics
from adapter.model_router import Fallback, ModelRouter, ProxyClient
from adapter.openapi import completed, static_page
from adapter.passthrough import (
    GET_PATHS,
    INFER_PATHS,
    NotJson,
    NotServed,
    back,
    check_json,
    down,
    error_of,
    target,
)
from adapter.problems import problem
from plumbing.clients import Unauthorized, brought_key
from plumbing.exposition import exposition
from plumbing.logs import get_logger
from plumbing.tracing.trace import UNTRACED, Tracer
from serving.control import Serving
from serving.tensor import tau_of
from serving.v2 import ModelError

ControlState = Callable[[], str]
"""Gives how the topic ``control`` is followed: starting, followed, away or off."""

Draining = Callable[[], bool]
"""Says whether the end has begun."""

CONTROL_GRACE_SECONDS: Final = 5.0
"""Ready without the topic ``control`` after this long: the broker must not decide that."""


class TooMany(Exception):
    """The client has sent more requests than it may."""


class Front:
    """The routes, with what they need."""

    def __init__(
        self,
        settings: Settings,
        models: ModelRouter,
        metrics: Metrics,
        control: ControlState,
        clock: Callable[[], float],
        now_us: Callable[[], int],
        service_version: str,
        draining: Draining,
    ) -> None:
        self._draining = draining
        self.settings, self.models, self.metrics = settings, models, metrics
        self._control, self._clock, self._now_us = control, clock, now_us
        self._version = service_version
        self._started = clock()
        limits = settings.max_body_bytes, settings.max_bytes_in_flight, settings.receive_seconds
        self._bodies = Bodies(*limits)
        self._clients = settings.clients()
        self._limit = Limit(settings.rate_limit, clock)

    async def predict(self, request: Request) -> Response:
        """Score rows by the variant that serves."""
        self._admit(request)
        rows = schema.decode(
            await self._bodies.read(request.headers, request.stream()), self.settings.max_rows
        )
        note = note_of(request.scope)
        note.rows = len(rows)
        scored = await self.models.score(rows, note.traceparent)
        note.variant = scored.info.variant
        self.metrics.rows.observe(len(rows))
        body = schema.encode(
            scored.scores,
            scored.info.variant,
            scored.info.version,
            self._now_us(),
            scored.severe,
        )
        told = {}
        if scored.info.relative and any(tau_of(row) is None for row in rows):
            told = {"X-Default-Tau": repr(scored.info.default_tau)}
        return Response(body, media_type="application/json", headers=told)

    async def health(self) -> Response:
        """Say what is well and what is not; 503 only when /predict could not answer."""
        states, fallback = await self.models.look(), self.models.fallback is not None
        body = health(
            self.models.serving,
            states,
            has_fallback=fallback,
            control=self._control(),
            feed_dialect=self.models.feed_dialect,
        )
        return JSONResponse(body, 503 if body["status"] == "unable" else 200)

    async def version(self) -> Response:
        """Name the service, the variant that serves and its model."""
        states = await self.models.look()
        return JSONResponse(version(self.models.serving, states, self._version))

    async def scrape(self, request: Request) -> Response:
        """Return the metrics."""
        self.metrics.serves(self.models.serving.variant)
        self.metrics.control_followed.set(self._control() == "followed")
        kind, body = exposition(self.metrics.registry, request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": kind})

    async def alive(self) -> Response:
        """Answer: the process is alive."""
        return JSONResponse({"alive": True})

    async def ready(self) -> Response:
        """Answer 200 once /predict can answer and the variant is known."""
        states, fallback = await self.models.look(), self.models.fallback is not None
        waited = self._clock() - self._started >= CONTROL_GRACE_SECONDS
        parts = {
            "model": able(self.models.serving, states, fallback),
            "control": waited or self._control() != "starting",
            "running": not self._draining(),
        }
        missing = [name for name, there in parts.items() if not there]
        return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)

    async def v2(self, request: Request) -> Response:
        """Pass a V2 request about the server or one of the two models on, unchanged."""
        to = target(request.scope["route"].path, request.path_params)
        if request.method == "POST":
            self._admit(request)
            note_of(request.scope).variant = to.variant or NO_VARIANT
            check_json(request.headers)
        body = await self._bodies.read(request.headers, request.stream())
        trace, headers = note_of(request.scope).traceparent, down(request.headers)
        method = "GET" if request.method == "HEAD" else request.method
        answer = await self.models.forward(to.variant, method, to.path, body, headers, trace)
        if answer.status >= 400:
            said = error_of(answer.body)
            about = note_of(request.scope).request_id, request.scope["path"]
            kept = {k: v for k, v in answer.headers.items() if k.lower() == "retry-after"}
            return problem(*about, answer.status, "The model server refuses it", said, kept)
        return Response(answer.body, answer.status, headers=back(answer.headers))

    async def docs(self) -> Response:
        """Return a page to read and to try; without the internet it still reads."""
        page = bytes(get_swagger_ui_html(openapi_url="openapi.json", title=SERVICE).body).decode()
        mark = '<div id="swagger-ui">'
        return HTMLResponse(page.replace(mark, mark + static_page()))

    def _admit(self, request: Request) -> None:
        """Let the client in, counted; before its body is read, so that refusing is cheap."""
        note, headers = note_of(request.scope), request.headers
        note.client = self._clients.name(
            brought_key(headers.get("x-api-key"), headers.get("authorization")),
            ",".join(headers.getlist("x-forwarded-for")),
            request.client.host if request.client else "unknown",
        )
        allowance = self._limit.hit(note.client)
        note.headers |= allowance.headers()
        if not allowance.allowed:
            self.metrics.rate_limited.labels(request.scope["route"].path).inc()
            raise TooMany(
                f"more than {self.settings.rate_limit}: try again in"
                f" {allowance.reset_seconds} s"
            )


_SAID: Final[Mapping[type[Exception], tuple[int, str, bool]]] = {
    schema.TooManyRows: (413, "Too many rows", False),
    TooLarge: (413, "Too many bytes", True),
    TooSlow: (408, "The request came too slowly", True),
    TooMany: (429, "Too many requests", False),
    NotJson: (415, "Only JSON is taken", False),
    NotServed: (404, "Not Found", False),
}
"""Status and title of errors that say all themselves, and whether the connection is closed."""


def _on_error(request: Request, exc: Exception, retry_after: int) -> Response:
    """Turn an error into its answer: with the table, all that there is of what means what."""
    about = note_of(request.scope).request_id, request.scope["path"]
    if type(exc) in _SAID:
        status, title, closes = _SAID[type(exc)]
        return problem(*about, status, title, str(exc), {"Connection": "close"} if closes else None)
    later = {"Retry-After": str(retry_after)}
    match exc:
        case schema.InvalidRequest():
            found = [asdict(each) for each in exc.problems]
            detail = f"{exc.total} things are wrong, {len(found)} are listed"
            return problem(*about, 422, "The request cannot be scored", detail, problems=found)
        case Unauthorized():
            asked = {"WWW-Authenticate": "Bearer"}
            return problem(*about, 401, "An API key is needed", str(exc), asked)
        case ModelError():
            detail = f"the model does not answer: try again in {retry_after} s"
            return problem(*about, 503, "The model is away", detail, later)
        case TooBusy():
            closing = later | {"Connection": "close"}
            return problem(*about, 503, "Too much is on its way", str(exc), closing)
        case HTTPException():
            detail = f"{request.method} {request.url.path[:200]}: {exc.detail}"
            headers = dict(exc.headers or {})
            return problem(*about, exc.status_code, str(exc.detail), detail, headers)
    raise exc


def _unforeseen(request_id: str, path: str) -> Response:
    detail = "an error of ours; its log line has this request_id"
    return problem(request_id, path, 500, "Internal error", detail, {"X-Request-ID": request_id})


def _add_routes(app: FastAPI, front: Front) -> None:
    _add_route(app, "/predict", front.predict, "POST", "scoring")
    told: dict[str, Callable[..., Any]] = {
        "/health": front.health,
        "/version": front.version,
        "/metrics": front.scrape,
        "/healthz": front.alive,
        "/readyz": front.ready,
    }
    for path, endpoint in told.items():
        _add_route(app, path, endpoint, "GET", "operation")
    app.add_api_route("/docs", front.docs, methods=["GET", "HEAD"], include_in_schema=False)
    for path in GET_PATHS:
        _add_route(app, path, front.v2, "GET", "V2")
    for path in INFER_PATHS:
        _add_route(app, path, front.v2, "POST", "V2")


def _add_route(
    app: FastAPI, path: str, endpoint: Callable[..., Any], method: str, tag: str
) -> None:
    """Add a route; where GET is, HEAD is as well."""
    app.add_api_route(path, endpoint, methods=[method], tags=[tag])
    if method == "GET":
        app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)


def create_app(
    settings: Settings,
    model: ProxyClient,
    serving: Serving,
    *,
    registry: CollectorRegistry,
    fallback: Fallback | None = None,
    control: ControlState = lambda: "off",
    opened: AbstractAsyncContextManager[object] | None = None,
    clock: Callable[[], float] = time.monotonic,
    now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    service_version: str = "unknown",
    tracer: Tracer = UNTRACED,
    draining: Draining = lambda: False,
) -> FastAPI:
    """Make the application.

    ``opened`` is held open while the app runs (the model's connections); ``clock`` gives
    seconds, ``now_us`` epoch microseconds; ``draining`` says that the end has begun.
    """
    metrics = Metrics(registry)
    models = ModelRouter(
        model,
        serving,
        metrics,
        fallback=fallback,
        feed_dialect=settings.feed_dialect,
        clock=clock,
    )
    front = Front(settings, models, metrics, control, clock, now_us, service_version, draining)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if opened is None:
            yield
        else:
            async with opened:
                yield

    app = FastAPI(
        title=SERVICE,
        version=service_version,
        description="Probability of a volatility spike within the next 60 seconds.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=Response,
        lifespan=lifespan,
    )

    async def on_error(request: Request, exc: Exception) -> Response:
        return _on_error(request, exc, settings.retry_after_seconds)

    for kind in (*_SAID, schema.InvalidRequest, Unauthorized, ModelError, TooBusy, HTTPException):
        app.add_exception_handler(kind, on_error)
    app.add_middleware(
        Access,
        metrics=metrics,
        log=get_logger(),
        clock=clock,
        on_error=_unforeseen,
        tracer=tracer,
        draining=draining,
    )
    _add_routes(app, front)
    document = app.openapi
    app.openapi = lambda: completed(document())  # type: ignore[method-assign]
    return app

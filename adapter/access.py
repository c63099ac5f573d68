"""Around every request: its id, its line in the log, its metrics, and an answer to any error."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from starlette.requests import ClientDisconnect
from structlog.stdlib import BoundLogger

from adapter.metrics import METHODS, NO_VARIANT, OTHER, ROUTES, Metrics
from plumbing.tracing.trace import Span, Tracer
from serving.v2 import MODEL_PATH

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
OnError = Callable[[str, str], App]
"""Gives the answer to an unforeseen error, from request id and path."""

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_QUIET: Final = ("/healthz", "/readyz", "/metrics", "/health")
"""Asked every few seconds: a line only where the answer is no success."""
_MOST_PATH: Final = 200
_TRACED: Final = ("/predict", MODEL_PATH.format(variant=""))


@dataclass(slots=True)
class Note:
    """What the routes leave for the log and the answer's headers; ``rows`` were asked for."""

    request_id: str
    client: str | None = None
    rows: int | None = None
    variant: str = NO_VARIANT
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 499
    """Of the answer; as in nginx's logs 499 stands for a client that left before it."""
    span: Span | None = None

    @property
    def traceparent(self) -> str | None:
        """What a model that is asked for this request is told."""
        return None if self.span is None else self.span.traceparent


def note_of(scope: Scope) -> Note:
    """Return the note of a request."""
    note: Note = scope["access"]
    return note


class Access:
    """ASGI middleware; ``clock`` gives seconds."""

    def __init__(
        self,
        app: App,
        *,
        metrics: Metrics,
        log: BoundLogger,
        clock: Callable[[], float],
        on_error: OnError,
        tracer: Tracer,
        draining: Callable[[], bool] = lambda: False,
    ) -> None:
        self._draining = draining
        self._app, self._metrics, self._log = app, metrics, log
        self._clock, self._on_error, self._tracer = clock, on_error, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        note = scope["access"] = Note(_request_id(scope), span=self._begun(scope))
        started = self._clock()
        with self._metrics.in_flight.track_inprogress():
            try:
                await self._answered(scope, receive, self._named(send, note), note)
            finally:
                self._record(scope, note, self._clock() - started)

    def _begun(self, scope: Scope) -> Span | None:
        """Begin a span where something is to be scored, in the caller's trace if it named one."""
        if scope["method"] != "POST" or not scope["path"].startswith(_TRACED):
            return None
        named = _header(scope, b"traceparent")
        return self._tracer.begin("request", named or None, kind="server")

    async def _answered(self, scope: Scope, receive: Receive, send: Send, note: Note) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception:
            self._log.exception("http.failed", request_id=note.request_id)
            if note.status != 499:
                raise  # the answer has begun: nothing but closing can be done
            await self._on_error(note.request_id, scope["path"])(scope, receive, send)

    def _named(self, send: Send, note: Note) -> Send:
        """Put our headers into the answer; at the end of the process it closes the connection."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                note.status = message["status"]
                named = {"x-request-id": note.request_id} | note.headers
                if self._draining():
                    named["connection"] = "close"
                own = {name.lower().encode(): value.encode() for name, value in named.items()}
                kept = [pair for pair in message.get("headers", ()) if pair[0] not in own]
                message["headers"] = [*kept, *own.items()]
            await send(message)

        return sending

    def _record(self, scope: Scope, note: Note, seconds: float) -> None:
        path = getattr(scope.get("route"), "path", OTHER)
        route = path if path in ROUTES else OTHER
        method = scope["method"] if scope["method"] in METHODS else OTHER
        status = f"{note.status // 100}xx"
        self._metrics.requests.labels(route, method, status, note.variant).inc()
        exemplar = _ended(note, route)
        self._metrics.seconds.labels(route, status).observe(seconds, exemplar)
        if path in _QUIET and note.status == 200:
            return
        self._log.info(
            "http.request",
            request_id=note.request_id,
            method=scope["method"],
            path=scope["path"][:_MOST_PATH],
            status=note.status,
            seconds=round(seconds, 6),
            rows=note.rows,
            variant=note.variant,
            client=note.client,
        )


def _ended(note: Note, route: str) -> dict[str, str] | None:
    """End the span of a request, if it has one; give what leads from the metrics to it."""
    span = note.span
    if span is None:
        return None
    span.tell("http.route", route)
    span.tell("http.response.status_code", note.status)
    span.tell("request_id", note.request_id)
    if note.status >= 500:
        span.fail(f"status {note.status}")
    span.end()
    return span.exemplar


def _request_id(scope: Scope) -> str:
    """Take the caller's ``X-Request-ID`` if it is fit for a log, else make one."""
    found = _header(scope, b"x-request-id")
    return found if _ID.fullmatch(found) else uuid4().hex


def _header(scope: Scope, wanted: bytes) -> str:
    """Return the first header of that name, else nothing."""
    return next((v.decode("latin-1") for name, v in scope["headers"] if name == wanted), "")

"""A thin HTTP client of a V2 model server, used by the adapter and the scorer."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol

import aiohttp

from featurizer.features import REQUIRED
from plumbing.logs import get_logger
from plumbing.tracing.trace import UNTRACED, Tracer, headers_of
from serving.connections import ConnectionPool
from serving.tensor import Row
from serving.v2 import (
    BadResponse,
    ModelAway,
    ModelError,
    ModelFailed,
    ModelSlow,
    Scored,
    decode_response,
    encode_request,
    infer_path,
    width_of,
)

CONNECT_SECONDS: Final = 0.3
"""Within a cluster connecting takes milliseconds; whoever needs longer is gone."""
AGAIN_SECONDS: Final = 0.6
"""So long after its begin a request that lost its connection is sent again, as a killed replica
stays among the addresses for about a second; once only where the request before found none."""
PAUSES: Final = (0.0, 0.02, 0.05, 0.1)
"""Seconds before each further try; the last one holds for all that follow."""
_LOST: Final = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError)
"""The connection failed, not the request: refused, closed, reset, or not opened in time."""
_NUMBER_TAKEN: Final = "is used by transport"
"""What uvloop says of a new socket whose number it still gives to one that was closed while it
connected (MagicStack/uvloop#653): this connection failed, another one will not."""
LEAST: Final = len(REQUIRED)
"""Columns that every model takes."""
WIDTH_TRIES: Final = 4
"""While replicas of two releases answer, the width that one named may be refused by the next."""
_JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class RawResponse:
    """What a server sent back, byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class InferenceClient(Protocol):
    """What the adapter and the scorer need of ``V2Client`` to have rows scored."""

    async def infer(
        self,
        variant: str,
        rows: Sequence[Row],
        *,
        within: float | None = None,
        traceparent: str | None = None,
    ) -> Scored: ...


class V2Client:
    """Asks one server; open it with ``async with``, in the loop that will use it.

    The server may be several replicas behind one address: connections are renewed from time to
    time, and a request whose connection fails is sent again at once on a new one.

    ``timeout`` is for a whole request, in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 2.0,
        tracer: Tracer = UNTRACED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout, self._tracer, self._clock = timeout, tracer, clock
        self._connections = ConnectionPool(clock)
        self._away = False
        self._widths: dict[str, int] = {}

    async def __aenter__(self) -> "V2Client":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connections.close()

    async def infer(
        self,
        variant: str,
        rows: Sequence[Row],
        *,
        within: float | None = None,
        traceparent: str | None = None,
    ) -> Scored:
        """Score rows, each in the order of ``NAMES``, by one variant, ``within`` so many seconds.

        A model is sent the columns it names, as a server of before refuses others: until one has
        answered, those of the first release.

        Raises:
            ModelSlow: no whole answer in time.
            ModelFailed: the server failed at this request.
            ModelAway: no connection, or the model is not loaded.
            BadResponse: an answer that cannot be used, or a refusal.
        """
        until = self._clock() + (self._timeout if within is None else within)
        failed: ModelError = ModelAway(f"{variant}: models of different width answer in turn")
        for _ in range(WIDTH_TRIES):
            width = self._widths.get(variant, LEAST)
            try:
                left = max(0.0, until - self._clock())
                scored = await self._infer(variant, rows, width, left, traceparent)
            except ModelFailed as exc:
                if width == LEAST:
                    raise
                self._widths[variant], failed = LEAST, exc
                continue
            self._widths[variant] = width_of(scored.info)
            if self._widths[variant] <= width:
                return scored
        raise failed

    async def _infer(
        self,
        variant: str,
        rows: Sequence[Row],
        width: int,
        within: float,
        traceparent: str | None,
    ) -> Scored:
        path, body = infer_path(variant), encode_request(rows, width)
        answer = await self.forward(
            "POST", path, body, _JSON, within=within, traceparent=traceparent
        )
        if answer.status == 200:
            return decode_response(answer.body, len(rows), variant)
        said = f"{variant}: found status {answer.status}, expected 200: {answer.body[:200]!r}"
        raise _refused(answer.status)(said)

    async def forward(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        within: float | None = None,
        traceparent: str | None = None,
    ) -> RawResponse:
        """Send one request and give the answer unchanged, whatever its status.

        Where the connection fails, it is sent again on a new one: all requests of V2 that pass
        here may be repeated.

        ``within`` is a time limit of its own, in seconds. With ``traceparent`` the request is
        a span of that trace, and the server is told so.

        Raises:
            ModelAway: no connection, or no whole answer in time.
        """
        limit = self._timeout if within is None else within
        if traceparent is None:
            return await self._tried(method, path, body, headers, limit)
        span = self._tracer.begin("infer", traceparent, kind="client")
        span.tell("url.path", path)
        told = {**(headers or {}), **headers_of(span.traceparent)}
        try:
            answer = await self._tried(method, path, body, told, limit)
            span.tell("http.response.status_code", answer.status)
            return answer
        except ModelAway as exc:
            span.fail(str(exc))
            raise
        finally:
            span.end()

    async def _tried(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        limit: float,
    ) -> RawResponse:
        try:
            async with asyncio.timeout(limit):
                return await self._sent(method, path, body, headers)
        except TimeoutError as exc:
            raise ModelSlow(f"no answer from {self._url}{path} within {limit} s") from exc
        except (aiohttp.ClientError, ConnectionError) as exc:
            raise ModelAway(f"{self._url}{path}: {exc!r}") from exc

    async def _sent(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> RawResponse:
        """Send, and again while the connection fails; ``AGAIN_SECONDS`` says how long."""
        until = self._clock() + (0.0 if self._away else AGAIN_SECONDS)
        pauses, lost = iter(PAUSES), ""
        while True:
            try:
                answer = await self._send(method, path, body, headers)
            except _LOST as exc:
                pause = next(pauses, PAUSES[-1])
                if lost and self._clock() + pause > until:
                    self._away = True
                    raise _plain(exc) from exc
                lost = lost or repr(exc)
            else:
                self._away = False
                if lost:
                    get_logger().info("model.asked_again", path=path, reason=lost)
                return answer
            await asyncio.sleep(pause)

    async def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> RawResponse:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        async with self._connections.lend() as lent:
            try:
                async with lent.session.request(
                    method, self._url + path, data=body, headers=headers, timeout=timeout
                ) as response:
                    content = await response.read()
                    return RawResponse(response.status, dict(response.headers), content)
            except _LOST:
                self._connections.retire(lent)
                raise
            except RuntimeError as exc:
                if _NUMBER_TAKEN not in str(exc):
                    raise
                self._connections.retire(lent)
                raise aiohttp.ClientConnectionError(str(exc)) from exc


def _refused(status: int) -> type[ModelError]:
    """Return what a status other than 200 means.

    MLServer says 404 for a model that is not there, 400 for one that is loading, and 400 or 500
    where a model fails at its rows.
    """
    if status in (400, 500):
        return ModelFailed
    return ModelAway if status in (404, 429) or status > 500 else BadResponse


def _plain(exc: Exception) -> Exception:
    """Return an error that is no ``TimeoutError``, which would look like the whole request's."""
    return aiohttp.ClientError(repr(exc)) if isinstance(exc, TimeoutError) else exc

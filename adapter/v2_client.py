"""A thin HTTP client of a V2 model server, used by the adapter and the scorer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final

import aiohttp

from adapter.v2 import BadResponse, ModelAway, Row, Scored, decode_response, encode_request
from plumbing.trace import UNTRACED, Tracer

KEEP_ALIVE_SECONDS: Final = 3.0
"""Below the 5 s after which MLServer closes an idle connection, or a request could meet the end."""
CONNECT_SECONDS: Final = 0.5
_JSON: Final = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent back, byte for byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class V2Client:
    """Asks one server; open it with ``async with``, in the loop that will use it.

    ``timeout`` is for a whole request, in seconds; connecting takes at most half a second of it.
    """

    def __init__(self, url: str, *, timeout: float = 2.0, tracer: Tracer = UNTRACED) -> None:
        self._url = url.rstrip("/")
        self._timeout, self._tracer = timeout, tracer
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "V2Client":
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "User-Agent", "Content-Type"),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def infer(
        self,
        variant: str,
        rows: Sequence[Row],
        *,
        within: float | None = None,
        traceparent: str | None = None,
    ) -> Scored:
        """Score rows, each in the order of ``NAMES``, by one variant, ``within`` so many seconds.

        Raises:
            ModelAway: no answer in time, or the model is not loaded or fails.
            BadResponse: an answer that cannot be used, or a refusal.
        """
        path = f"/v2/models/{variant}/infer"
        body = encode_request(rows)
        answer = await self.forward(
            "POST", path, body, _JSON, within=within, traceparent=traceparent
        )
        if answer.status == 200:
            return decode_response(answer.body, len(rows), variant)
        said = f"{variant}: found status {answer.status}, expected 200: {answer.body[:200]!r}"
        # MLServer says 404 for a model that is not there and 400 for one that is loading.
        if answer.status in (400, 404, 429) or answer.status >= 500:
            raise ModelAway(said)
        raise BadResponse(said)

    async def forward(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        within: float | None = None,
        traceparent: str | None = None,
    ) -> Answer:
        """Send one request and give the answer unchanged, whatever its status.

        A connection that the server had closed meanwhile is tried once more at once: all
        requests of V2 that pass here may be repeated.

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
        told = {**(headers or {}), "traceparent": span.traceparent}
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
    ) -> Answer:
        try:
            async with asyncio.timeout(limit):
                try:
                    return await self._send(method, path, body, headers)
                except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                    return await self._send(method, path, body, headers)
        except TimeoutError as exc:
            raise ModelAway(f"no answer from {self._url}{path} within {limit} s") from exc
        except aiohttp.ClientError as exc:
            raise ModelAway(f"{self._url}{path}: {exc!r}") from exc

    async def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Answer:
        assert self._session is not None, "V2Client is used inside `async with`"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        async with self._session.request(
            method, self._url + path, data=body, headers=headers, timeout=timeout
        ) as response:
            content = await response.read()
            return Answer(response.status, dict(response.headers), content)

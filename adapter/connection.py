"""A client's connection: the head of a request has bounds too, and one that idles is closed.

uvicorn reads a head without end, for ever, and waits without end for a first request.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapter.problems import KIND, content

_SAID: Final = {
    400: "found no HTTP request, expected one",
    408: "the head of the request did not come in time",
    431: "the head of the request has too many bytes",
}


class HeadTooLarge(Exception):
    """The head has more bytes than one may have."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's, with bounds of the class that ``bounded`` makes.

    From its first byte a head has ``head_seconds`` and ``head_bytes``; a connection that sends
    nothing has ``idle_seconds``, and one that does not read its answer has ``head_seconds``.
    """

    head_bytes: int
    head_seconds: float
    idle_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._received = self._noted = 0
        self._in_head = False
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._status = 400

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request, but not for ever."""
        super().connection_made(transport)
        self._wait(self.idle_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timers."""
        self._wait(None)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is not whole has its bounds."""
        cycle = self.cycle
        of_one_head = self._in_head or cycle is None or not cycle.more_body
        super().data_received(data)
        if of_one_head and self._in_head and self.cycle is cycle:
            self._received += len(data)
        if self._in_head and self._received > self.head_bytes:
            self._refuse(431)
        elif self._idles:
            self._wait(self.idle_seconds)

    @property
    def _answered(self) -> bool:
        """True where no answer is under way."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def _idles(self) -> bool:
        """True where no request has begun and nothing else waits for one."""
        waited_for = self._deadline or self.timeout_keep_alive_task
        return self._answered and not self._in_head and waited_for is None

    def on_message_begin(self) -> None:
        """Note the first byte of a request."""
        super().on_message_begin()
        self._in_head, self._received, self._noted = True, 0, 0
        self._wait(self.head_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header, unless it is one too many."""
        super().on_header(name, value)
        self._noted += len(name) + len(value) + 4
        if len(self.url) + self._noted > self.head_bytes:
            self._status = 431
            raise HeadTooLarge

    def on_headers_complete(self) -> None:
        """Hand the request on; its body has bounds of its own."""
        self._in_head = False
        self._wait(None)
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read, but not for ever."""
        super().pause_writing()
        self._reading = self.loop.call_later(self.head_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Write on."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self.flow is not None:
            super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, in our form."""
        self._refuse(self._status)

    def _wait(self, seconds: float | None) -> None:
        """Set the deadline anew; None: there is none."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        if self._in_head:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        title = HTTPStatus(status).phrase
        body = content(status, title, _SAID[status])
        head = (
            f"HTTP/1.1 {status} {title}\r\ncontent-type: {KIND}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        if self._answered:  # else it would stand in the place of an answer under way
            self.transport.write(head.encode() + body)
        self.transport.close()


def bounded(head_bytes: int, head_seconds: float, idle_seconds: float) -> type[BoundedConnection]:
    """Return the class of connections with these bounds, for ``uvicorn.Config(http=…)``."""
    bounds = {
        "head_bytes": head_bytes,
        "head_seconds": head_seconds,
        "idle_seconds": idle_seconds,
    }
    return type("Connection", (BoundedConnection,), bounds)

"""``/signals/stream``: a snapshot, then one frame a second of all products, and beats."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec
from aiohttp import web

from monitor.http.requests import only
from monitor.page.live import Beat, Frame
from plumbing.logs import get_logger

FRAME_SECONDS: Final = 1.0
FRAMES_A_BEAT: Final = 2
RETRY_MS: Final = 2_000
HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would keep events back
}


class FrameHub:
    """Makes frames while somebody listens; used in the event loop only.

    Nobody has a queue: who is slow gets the newest frame once it has taken the one before.
    """

    def __init__(
        self,
        frame: Callable[[int], Frame],
        beat: Callable[[int], Beat],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._frame, self._beat, self._wall = frame, beat, wall
        self._next = asyncio.Event()
        self._clients = 0
        self.closed = False
        self.number, self.newest, self.life = 0, b"", b""
        self._failed = False

    def __len__(self) -> int:
        return self._clients

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Make a frame every second, until cancelled; one that fails is left out, told once."""
        while True:
            await sleep(FRAME_SECONDS)
            self._turn_or_log()

    def turn(self) -> None:
        """Make the frame of now, and a beat every other time; wake all who wait."""
        if self._clients:
            self.number += 1
            self.newest = self._told("frame")
            if self.number % FRAMES_A_BEAT == 0:
                self.life = event_of("beat", self.number, self._beat(self._now_us()))
        self._wake()

    async def next(self) -> None:
        """Wait for the next frame, or for the end."""
        if not self.closed:
            await self._next.wait()

    @contextlib.contextmanager
    def listening(self) -> Iterator[bytes]:
        """Count a client while it listens; gives the snapshot that it gets first."""
        self._clients += 1
        try:
            yield self._told("snapshot")
        finally:
            self._clients -= 1

    def close(self) -> None:
        """End all streams, present and coming."""
        self.closed = True
        self._wake()

    def _turn_or_log(self) -> None:
        try:
            self.turn()
            self._failed = False
        except Exception:
            if not self._failed:
                get_logger().exception("monitor.frame_failed")
            self._failed = True

    def _told(self, name: str) -> bytes:
        return event_of(name, self.number, self._frame(self._now_us()))

    def _now_us(self) -> int:
        return int(self._wall() * 1e6)

    def _wake(self) -> None:
        self._next.set()
        self._next = asyncio.Event()


def event_of(name: str, number: int, what: Frame | Beat) -> bytes:
    """Return a server-sent event."""
    data = msgspec.json.encode(what)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), data)


class StreamRoutes:
    """Answers with a stream that lasts until either side leaves."""

    def __init__(self, hub: FrameHub) -> None:
        self._hub = hub

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send the snapshot, then what is new each second."""
        only(request)
        response = web.StreamResponse(headers=HEADERS)
        try:
            with self._hub.listening() as snapshot:
                await response.prepare(request)
                await response.write(b"retry: %d\n\n" % RETRY_MS + snapshot)
                await send_frames(response.write, self._hub)
        except ConnectionError:
            get_logger().debug("monitor.page_left")
        return response


async def send_frames(write: Callable[[bytes], Awaitable[None]], hub: FrameHub) -> None:
    """Write what is new each second until the hub is closed; what comes while writing is left out.

    Of frames that came meanwhile the newest is next.
    """
    number, life = hub.number, hub.life
    while not hub.closed:
        await hub.next()
        if hub.number != number:
            number = hub.number
            await write(hub.newest)
        if hub.life is not life:
            life = hub.life
            await write(life)

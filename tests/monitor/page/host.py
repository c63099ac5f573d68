"""The monitor over generated products, for a real browser: served on loopback by a thread."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from ingestor.tick import Break
from ingestor.topics import SIGNALS
from monitor.http.api import create_app
from monitor.http.stream import FrameHub
from monitor.states.machines import Machines
from scorer.prediction import Prediction
from signals.records import encode
from signals.row import Budget
from tests.monitor.http.test_api import Service
from tests.monitor.world import SECOND


class Host:
    """A monitor's HTTP side whose time, data and frames are the test's to make.

    ``prefix`` is what a proxy in front would take off each address.
    """

    def __init__(self, prefix: str = "", **settings: Any) -> None:
        self.service, self._machines, self._offset = Service(**settings), Machines(Budget()), 0
        self.service.board.states = self._machines.standing
        self.live, self.now_us, self.prefix, self.port = self.service.lived.live, 0, prefix, 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}{self.prefix}/"

    def take(self, *predictions: Prediction, lag: float = 0.2) -> None:
        """Take predictions; it is then so many seconds after the last one was received."""
        for prediction in predictions:
            self._offset += 1
            for record in self._machines.take(prediction, self._offset):
                self.service.log.append(SIGNALS.name, record.product_id, encode(record))
            self.live.take([prediction], self._machines.standing())
        if predictions:
            self.now_us = predictions[-1].received_us + int(lag * SECOND)

    def broke(self, event: Break) -> None:
        """Take a Break."""
        self.service.board.broke(event)

    def turn(self, later: float = 0.0) -> None:
        """Send a frame, so many seconds later."""
        self.now_us += int(later * SECOND)
        self._call(self.service.around.frames.turn)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self.service.around.frames)

    def drop(self) -> None:
        """End all streams, and take new ones: a monitor that came back."""
        frames = self.service.around.frames
        self._call(frames.close)
        frames.closed = False

    def open(self) -> None:
        """Begin to serve on a free port."""
        self._thread.start()
        self._run(self._serve(0))

    def stop(self) -> None:
        """Serve no more: the port is closed, streams end."""
        self._call(self.service.around.frames.close)
        self._run(self._runner.cleanup())

    def again(self) -> None:
        """Serve anew on the same port."""
        self.service.around.frames.closed = False
        self._run(self._serve(self.port))

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, port: int) -> None:
        frames = FrameHub(self.live.frame, self.live.beat, lambda: self.now_us / SECOND)
        if port == 0:
            self.service.around = _with(self.service.around, frames=frames)
        app = create_app(self.service.around)
        if self.prefix:
            outer = web.Application()
            outer.add_subapp(self.prefix, app)
            app = outer
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def _run(self, what: Any) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    def _call(self, what: Callable[[], None]) -> None:
        async def called() -> None:
            what()

        self._run(called())


def _with(around: Any, **more: Any) -> Any:
    fields = {name: getattr(around, name) for name in around.__slots__}
    return type(around)(**{**fields, **more})


@contextmanager
def hosted(prefix: str = "", **settings: Any) -> Iterator[Host]:
    """A host that serves while it is needed."""
    host = Host(prefix, **settings)
    host.open()
    try:
        yield host
    finally:
        host.stop()
        host.close()

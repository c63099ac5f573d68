"""The side of the socket: connect, subscribe, receive, and enqueue; nothing else."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    SecurityError,
)

from ingestor import ledger
from ingestor.advanced import canonical, subscriptions
from ingestor.backlog.waiting import Backlog
from ingestor.config import Settings
from ingestor.intake import Opened, Received, Silent
from ingestor.metrics import Metrics
from ingestor.recordings.recorder import RawCapture
from ingestor.subscription import TROUBLED, Subscriptions
from ingestor.tick import LIVE_FEED
from plumbing.backoff import Backoff, Delays
from plumbing.logs import get_logger
from plumbing.proxies import proxy_for

FEED_HEADER: Final = "X-Feed-Id"
END_OF_RECORDING: Final = "end of recording"
LARGEST_FRAME: Final = 10 * 2**20
"""A level-2 snapshot has several MB; the library's own 1 MiB closes with 1009."""
SUBSCRIBE_SECONDS: Final = 5.0
"""The exchange drops a connection that has not subscribed by then."""
ASK_SECONDS: Final = 1.0
HOPELESS_STATUS: Final = frozenset({400, 401, 404, 405, 410, 426})


def gives_up(exc: Exception) -> Exception | None:
    """Say whether connecting can become right by waiting (None) or never (the exception)."""
    if isinstance(exc, InvalidStatus):
        return exc if exc.response.status_code in HOPELESS_STATUS else None
    return exc if isinstance(exc, InvalidURI | InvalidProxy | SecurityError) else None


def why(exc: ConnectionClosed) -> str:
    """Name the end of a connection, as metrics and ledger do."""
    close = exc.rcvd
    ended = close is not None and close.code == 1000 and close.reason == END_OF_RECORDING
    return "end_of_recording" if ended else "closed"


class Feed:
    """The side of the socket: its loop does nothing but receive and enqueue.

    ``trouble`` says why the feed cannot be reached, None while it is or nothing is known.
    """

    def __init__(
        self,
        settings: Settings,
        items: Backlog,
        metrics: Metrics,
        capture: RawCapture | None,
        clock_us: Callable[[], int],
        subscriptions: Subscriptions,
    ) -> None:
        self._settings, self._subscriptions = settings, subscriptions
        self._items = items
        self._metrics = metrics
        self._capture = capture
        self._clock_us = clock_us
        self._connections, self._connected = 0, False
        self._ended: str | None = None
        self.trouble: str | None = None
        self._telling: asyncio.Task[None] | None = None
        backoff = Backoff(settings.backoff_first_seconds, settings.backoff_cap_seconds)
        self._delays = Delays(backoff, settings.healthy_seconds)

    @property
    def connected(self) -> bool:
        """True while there is a connection that was subscribed."""
        return self._connected

    async def run(self) -> None:
        """Connect again and again; there is no limit of attempts.

        Raises:
            WebSocketException: connecting can never succeed like this (see ``gives_up``).
            SocksProxy: the environment names such a one.
        """
        connections = connect(
            self._settings.ws_url,
            max_size=LARGEST_FRAME,
            proxy=proxy_for(self._settings.ws_url),
            close_timeout=2,
            process_exception=self._refused,
            reconnect_delays=self._delays.__iter__,
        )
        async for connection in connections:
            started = time.monotonic()
            try:
                self._ended = await self._serve(connection)
            finally:
                self._metrics.connected.set(0)
                self._connected = False
                self._metrics.show_states({})
                await connection.close()
            self._metrics.reconnects.labels(self._ended).inc()
            delay = self._delays.after(time.monotonic() - started)
            get_logger().warning("feed.disconnected", reason=self._ended, delay_seconds=delay)
            await asyncio.sleep(delay)

    async def _serve(self, connection: ClientConnection) -> str:
        """Receive until the connection ends; gives the reason."""
        feed = LIVE_FEED
        if connection.response is not None:
            feed = connection.response.headers.get(FEED_HEADER, LIVE_FEED)
        self._connections += 1
        try:
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                for message in subscriptions(
                    self._settings.product_ids, self._settings.channel_names
                ):
                    await connection.send(message)
            self._metrics.connected.set(1)
            self._connected, self.trouble = True, None
            get_logger().info("feed.connected", url=self._settings.ws_url, feed=feed)
            self._subscriptions.opened(self._clock_us())
            await self._items.put(Opened(feed, self._clock_us(), self._ended))
            asking = asyncio.create_task(self._ask_again(connection), name="ask again")
            try:
                return await self._receive(connection)
            finally:
                asking.cancel()
        except ConnectionClosed as exc:
            get_logger().info("feed.closed", code=exc.rcvd and exc.rcvd.code, reason=str(exc))
            return why(exc)
        except TimeoutError:
            return "error"

    async def _ask_again(self, connection: ClientConnection) -> None:
        """Once a second ask for what was refused or has stalled, and show each product's state."""
        troubles: dict[str, str] = {}
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(ASK_SECONDS)
                now_us = self._clock_us()
                # With frames still to be read nobody knows what was answered.
                for message in self._subscriptions.due(now_us) if self._items.empty() else ():
                    get_logger().info("feed.asked_again", message=message)
                    await connection.send(message)
                troubles = self._show(now_us, troubles)

    def _show(self, now_us: int, before: Mapping[str, str]) -> dict[str, str]:
        """Show states, and log each trouble when it begins and ends; return those of now."""
        names = map(canonical, self._settings.product_ids)
        found = {name: self._subscriptions.state_of(name, now_us) for name in names}
        self._metrics.show_states({name: each.state for name, each in found.items()})
        troubles = {name: each.state for name, each in found.items() if each.state in TROUBLED}
        for name in troubles:
            if before.get(name) != troubles[name]:
                state, reason = found[name].state, found[name].reason
                get_logger().error("feed.trouble", product_id=name, state=state, reason=reason)
        for name in before.keys() - troubles.keys():
            get_logger().info("feed.well", product_id=name, state=found[name].state)
        return troubles

    async def _receive(self, connection: ClientConnection) -> str:
        """Enqueue every frame; while the queue is full, the socket is not read."""
        limit = self._settings.watchdog_seconds
        while True:
            try:
                async with asyncio.timeout(limit):
                    data = await connection.recv(decode=False)
            except TimeoutError:
                get_logger().error("feed.silent", seconds=limit)
                await self._items.put(Silent(self._clock_us(), limit))
                return "silent"
            now_us = self._clock_us()
            if self._capture is not None:
                self._capture.offer(data, now_us, self._connections)
            await self._items.put(Received(data, now_us))

    def _refused(self, exc: Exception) -> Exception | None:
        self._metrics.reconnects.labels("refused").inc()
        is_first, self.trouble = self.trouble is None, f"{self._settings.ws_url}: {exc!r}"
        if is_first:
            silent = Silent(self._clock_us(), 0.0, f"{ledger.UNREACHABLE}{self.trouble}")
            self._telling = asyncio.create_task(self._items.put(silent), name="tell")
        get_logger().error("feed.refused", url=self._settings.ws_url, reason=repr(exc))
        return gives_up(exc)

"""The exchange on a socket: one clock, as many connections as come, no frame dropped."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from plumbing.listening import host_for_asyncio
from plumbing.logs import get_logger
from simulator.config import SimulatorSettings
from simulator.exchange import SUBSCRIBE_WITHIN_S, ExchangeSession, OutgoingMessage
from simulator.faults import (
    Crash,
    Drop,
    Fault,
    Faults,
    Malformed,
    NextFrames,
    Oversized,
    Regime,
    Reorder,
    Repeat,
    Skip,
    frame_of,
)
from simulator.metrics import Metrics
from simulator.pace import Pace
from simulator.source import FrameSource
from simulator.tape import Tape, TapeItem

FEED_HEADER: Final = "X-Feed-Id"
END: Final = "end of recording"
TICKER_ALONE_S: Final = 1.0
"""After a ticker without heartbeats the clock waits this long for the latter."""
DRAIN_S: Final = 60.0
"""A reader may take this long to read up to a close; less loses what stands in its buffers."""
STOP_S: Final = 3.0
"""Whoever stops the simulator does not wait longer than this for its readers."""
PONG_S: Final = 120.0
"""A reader that pushes back answers pings late; nothing is dropped as long as it lives."""


class Client:
    """One connection; what it is sent is numbered and written under one lock, so in order."""

    def __init__(self, socket: ServerConnection, session: ExchangeSession) -> None:
        self.socket, self.session = socket, session
        self._next = NextFrames()
        self._lock = asyncio.Lock()

    async def answer(self, text: str | bytes, run: "FeedRun", now: float) -> None:
        """Answer a message of the client's."""
        async with self._lock:
            for message in self.session.receive(text, run.tape.last, run.pace.present(now)):
                await self._send(message, run)

    async def offer(self, published: TapeItem, run: "FeedRun") -> None:
        """Send the frame if the client wants it; waits while the client is slow."""
        async with self._lock:
            message = self.session.offer(published)
            if message is not None:
                await self._send(message, run)

    async def suffer(self, fault: Drop | Skip | Repeat | Reorder | Malformed | Oversized) -> None:
        """Let a fault happen to this connection; a frame that is none comes at once."""
        if isinstance(fault, Drop):
            self.socket.transport.abort()
            return
        async with self._lock:
            if isinstance(fault, Skip):
                self.session.skip(fault.count)
            elif isinstance(fault, (Repeat, Reorder)):
                self._next.take(fault)
            else:
                with suppress(ConnectionClosed):
                    await self.socket.send(frame_of(fault), text=True)

    async def _send(self, message: OutgoingMessage, run: "FeedRun") -> None:
        try:
            for frame in self._next.of(message.data):
                await self.socket.send(frame, text=True)
        except ConnectionClosed:
            return
        run.count(message)


class FeedRun:
    """One playing of the source from its beginning: a feed of its own."""

    def __init__(
        self, source: FrameSource, speed: float, metrics: Metrics, now: float, faults: Faults
    ) -> None:
        now_us = int(now * 1_000_000)
        self.feed = source.feed(now_us)
        self.tape = Tape(source.open(faults, now_us))
        self.pace = Pace(speed, source.by_clock)
        self.pace.begin(self.tape.start_us, now)
        self.begun = asyncio.Event()
        self.ended = False
        self.clients: set[Client] = set()
        self.tickers: Counter[str] = Counter(dict.fromkeys(source.products, 0))
        self.sent: Counter[str] = Counter()
        self._metrics = metrics

    @property
    def state(self) -> str:
        """``waiting`` for the first complete subscription, ``running`` or ``ended``."""
        return "ended" if self.ended else "running" if self.begun.is_set() else "waiting"

    def count(self, message: OutgoingMessage) -> None:
        """Count what was written to a socket."""
        self._metrics.frames.labels(message.kind).inc()
        self.sent[message.kind] += 1
        if message.kind == "ticker":
            self.tickers.update(message.products)

    def begin(self, now: float) -> None:
        """Start the clock, once."""
        if not self.begun.is_set():
            self.pace.begin(self.tape.start_us, now)
            self.begun.set()
            get_logger().info("feed.begun", feed=self.feed)


class Exchange:
    """Serves one source on a WebSocket; ``now`` gives epoch seconds."""

    def __init__(
        self,
        settings: SimulatorSettings,
        source: FrameSource,
        metrics: Metrics,
        now: Callable[[], float] = time.time,
        subscribe_within_s: float = SUBSCRIBE_WITHIN_S,
    ) -> None:
        self._settings, self._source, self._metrics, self._now = settings, source, metrics, now
        self._patience_s = subscribe_within_s
        self.faults = Faults(time.monotonic)
        self._closing: set[asyncio.Task[None]] = set()
        self._server: WebSocketServer | None = None
        self.run = self._new_run()
        self.port = 0

    async def open(self) -> None:
        """Listen."""
        self._server = await serve(
            self._connected,
            host_for_asyncio(self._settings.host),
            self._settings.port,
            process_response=self._name_feed,
            ping_timeout=PONG_S,
            close_timeout=DRAIN_S,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def play(self) -> None:
        """Play, once or again and again; returns when there is nothing more to play."""
        while True:
            await self.run.begun.wait()
            ended = self.run
            await self._play(ended)
            if self._settings.loop:
                # First the new run, so that who comes back at once is told its feed.
                self.run = self._new_run()
            closing = asyncio.create_task(_dismiss(ended))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            if not self._settings.loop:
                return await closing

    async def close(self) -> None:
        """Close all connections and the port, without waiting for slow readers."""
        if self._server is not None:
            for socket in self._server.connections:
                socket.close_timeout = 1.0
            self._server.close(code=1001, reason="simulator stops")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), STOP_S)

    async def inject(self, fault: Fault) -> None:
        """Let a fault begin, or happen to every connection, or to the market.

        Raises:
            ValueError: too many are in force, or there is no such market or product.
        """
        if isinstance(fault, (Crash, Regime)):
            self._check(fault)
        get_logger().warning("fault.injected", fault=repr(fault))
        if isinstance(fault, Crash):
            for name in self._source.products if fault.product_id is None else [fault.product_id]:
                self.faults.crash(name, fault.percent)
        elif isinstance(fault, (Drop, Skip, Repeat, Reorder, Malformed, Oversized)):
            await asyncio.gather(*(client.suffer(fault) for client in tuple(self.run.clients)))
        else:
            self.faults.begin(fault)

    def status(self) -> dict[str, Any]:
        """Return what is played and what was sent in this run, over all connections."""
        run, sent, now = self.run, self.run.sent, self._now()
        event_us = run.pace.present(now)
        return {
            "feed": run.feed,
            "state": run.state,
            "recording": self._source.name,
            "sha256": self._source.sha256,
            "products": list(self._source.products),
            "sent": {
                "ticker": dict(run.tickers),
                "heartbeats": sent["heartbeats"],
                "market_trades": sent["market_trades"],
            },
            "event_time_us": event_us,
            "behind_seconds": round(now - event_us / 1e6, 1) if run.pace.by_clock else None,
            "speed": self._settings.speed,
            "connections": len(run.clients),
        }

    def _check(self, fault: Crash | Regime) -> None:
        if self._source.name is not None:
            raise ValueError(
                f"found the recording {self._source.name}, expected a generated market"
            )
        if fault.product_id not in (None, *self._source.products):
            known = ", ".join(self._source.products)
            raise ValueError(f"product_id: found {fault.product_id!r}, expected one of {known}")

    def _new_run(self) -> FeedRun:
        speed, now = self._settings.speed, self._now()
        return FeedRun(self._source, speed, self._metrics, now, self.faults)

    def _name_feed(self, _: ServerConnection, __: Request, response: Response) -> None:
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            response.headers[FEED_HEADER] = self.run.feed

    async def _connected(self, socket: ServerConnection) -> None:
        run = self.run
        told = socket.response.headers[FEED_HEADER] if socket.response else None
        if run.ended or told != run.feed:
            await socket.close(1000, END)
            return
        client = Client(socket, ExchangeSession(frozenset(self._source.products), self.faults))
        run.clients.add(client)
        try:
            with suppress(ConnectionClosed):
                await self._converse(client, run)
        finally:
            run.clients.discard(client)

    async def _converse(self, client: Client, run: FeedRun) -> None:
        loop = asyncio.get_running_loop()
        impatient = asyncio.create_task(self._drop_if_silent(client))
        alone: asyncio.TimerHandle | None = None
        try:
            async for text in client.socket:
                await client.answer(text, run, self._now())
                if client.session.complete:
                    run.begin(self._now())
                elif alone is None and "ticker" in client.session.subscriptions:
                    alone = loop.call_later(TICKER_ALONE_S, lambda: run.begin(self._now()))
        finally:
            impatient.cancel()
            if alone is not None:
                alone.cancel()

    async def _drop_if_silent(self, client: Client) -> None:
        await asyncio.sleep(self._patience_s)
        if not client.session.asked:
            get_logger().info("client.dropped", reason="no subscription")
            await client.socket.close(1008, f"no subscription within {self._patience_s:g} s")

    async def _play(self, run: FeedRun) -> None:
        for published in run.tape:
            # Even when late, the loop must turn, or nobody could subscribe or close.
            due = run.pace.due(published.time_us) - self._now()
            await asyncio.sleep(max(due, self.faults.delay(), 0))
            run.tape.play(published)
            for client in tuple(run.clients):
                await client.offer(published, run)
        run.ended = True
        get_logger().info("feed.ended", feed=run.feed, sent=dict(run.sent))


async def _dismiss(run: FeedRun) -> None:
    """Say goodbye to everyone; each reader first gets what was written to it."""
    await asyncio.gather(*(client.socket.close(1000, END) for client in tuple(run.clients)))

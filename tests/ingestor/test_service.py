"""The ingestor end to end: a small exchange in the test, Kafka in memory."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import inf
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidStatus
from websockets.http11 import Request, Response

from ingestor.backlog.spill import KILLED, Spill
from ingestor.config import Settings
from ingestor.courier import Courier
from ingestor.intake import Opened, Received
from ingestor.ledger import UNREACHABLE, FeedEvent
from ingestor.ledger import decode as decode_ledger
from ingestor.metrics import Metrics
from ingestor.service import Service, Undelivered
from ingestor.tick import Tick
from plumbing.backoff import Backoff
from plumbing.kafka import Outbox
from plumbing.stop import Stop
from tests.ingestor.kafka import Memory
from tests.ingestor.wire import Wire, picture

WHEN = 1_775_428_600_000_000
Behaviour = Callable[["Exchange", ServerConnection], Awaitable[None]]


class Exchange:
    """Does one behaviour a connection, in turn; the last one stays open."""

    def __init__(self, *behaviours: Behaviour, feed: str | None = "test-1") -> None:
        self.behaviours = list(behaviours)
        self.feed = feed
        self.connections = 0
        self.subscribed: list[dict[str, object]] = []

    async def __call__(self, connection: ServerConnection) -> None:
        number, self.connections = self.connections, self.connections + 1
        for _ in range(3):
            self.subscribed.append(json.loads(await connection.recv()))
        if number < len(self.behaviours):
            await self.behaviours[number](self, connection)
        await connection.wait_closed()

    def _name(self, _: ServerConnection, __: Request, response: Response) -> None:
        if self.feed is not None:
            response.headers["X-Feed-Id"] = self.feed

    def serve(self) -> serve:
        return serve(self, "127.0.0.1", 0, process_response=self._name)


def sends(*frames: bytes, close: tuple[int, str] | None = None) -> Behaviour:
    """Send these frames, then close or stay open."""

    async def behave(_: Exchange, connection: ServerConnection) -> None:
        for frame in frames:
            await connection.send(frame.decode())
        if close is not None:
            await connection.close(*close)

    return behave


class Running:
    """A service under test with what it can be asked."""

    def __init__(
        self, server: Server, memory: Memory, spill: Spill | None = None, **changes: object
    ) -> None:
        port = server.sockets[0].getsockname()[1]
        fast = {"backoff_first_seconds": 0.01, "backoff_cap_seconds": 0.05, "drain_seconds": 60.0}
        named = {"ws_url": f"ws://127.0.0.1:{port}", **fast, **changes}
        self.settings = Settings.model_validate(named)
        self.memory = memory
        self.registry = CollectorRegistry()
        self.stop = Stop()
        metrics = Metrics(self.registry, self.settings.product_ids)
        abandoned = Stop()
        self.outbox = Outbox(
            memory.open,
            abandoned.wait,
            hold_seconds=inf,
            backoff=Backoff(0.01, 0.05),
            failed=metrics.publish_failures.inc,
        )
        self.service = Service(
            self.settings, self.outbox, abandoned, metrics, self.stop, spill=spill
        )

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Run the service until the condition holds, then end it in order."""
        task = asyncio.create_task(self.service.run())
        await reached(condition, seconds, task)
        self.stop.request()
        await task

    def picture(self) -> str:
        return picture(self.memory.events())

    def ledger(self) -> list[FeedEvent]:
        return list(map(decode_ledger, self.memory.topic("feed-events")))

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


async def reached(
    condition: Callable[[], bool], seconds: float = 60, task: asyncio.Task[None] | None = None
) -> None:
    """Poll until the condition holds; fails after so many seconds, or when the task ends."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert task is None or not task.done(), task
        assert time.monotonic() < deadline, "not reached in time"
        await asyncio.sleep(0.01)


def test_frames_become_ticks_in_kafka() -> None:
    """It subscribes each channel and publishes what comes, under the feed of the handshake."""

    async def scenario() -> None:
        wire, memory = Wire(), Memory()
        exchange = Exchange(sends(wire.ticker(0.2), wire.heartbeat(0.9), wire.ticker(3.5)))
        async with exchange.serve() as server:
            running = Running(server, memory)
            await running.until(lambda: len(memory.events()) == 5)
        assert running.picture() == "!start@0.2 T0.2 b1 b2 T3.5"
        assert {event.feed for event in memory.events()} == {"test-1"}
        assert [m["channel"] for m in exchange.subscribed] == [
            "ticker",
            "heartbeats",
            "market_trades",
        ]
        assert [line.kind for line in running.ledger()] == ["connected", "break"]

    asyncio.run(scenario())


def answers(*replies: str | bytes) -> Behaviour:
    """Refuse the first requests, then answer each that is asked again by the next reply."""

    async def behave(exchange: Exchange, connection: ServerConnection) -> None:
        await connection.recv()  # the fourth channel
        await connection.send(json.dumps({"type": "error", "message": "rate limit exceeded"}))
        for reply in replies:
            exchange.subscribed.append(json.loads(await connection.recv()))
            await connection.send(reply if isinstance(reply, str) else reply.decode())

    return behave


def test_what_is_refused_is_asked_for_again_and_flows() -> None:
    """By itself, alone, on the same connection; health names it meanwhile."""
    no = json.dumps({"type": "error", "message": "rate limit exceeded"})

    async def scenario() -> None:
        wire, memory = Wire(), Memory()
        exchange = Exchange(answers(no, wire.ticker(0.2)))
        async with exchange.serve() as server:
            running = Running(server, memory, channels="ticker,heartbeats,market_trades,status")
            _, _, told = running.service.page("/health") or (0, "", b"")
            assert json.loads(told)["connected"] is False and b"products" not in told
            seen: set[str] = set()

            def flows() -> bool:
                _, _, body = running.service.page("/health") or (0, "", b"{}")
                products = json.loads(body).get("products", {})
                seen.update(p["state"] for p in products.values())
                return len(memory.events()) == 2

            await running.until(flows)
        assert "refused" in seen
        again = [(m["channel"], m.get("product_ids", ["BTC-USD"])) for m in exchange.subscribed[3:]]
        assert len(again) == 2 and all(names == ["BTC-USD"] for _, names in again)
        assert exchange.connections == 1 and running.service.page("/else") is None

    asyncio.run(scenario())


def test_without_a_header_the_feed_is_the_real_one() -> None:
    """Only a simulator names its feed."""

    async def scenario() -> None:
        memory = Memory()
        async with Exchange(sends(Wire().ticker(0.2)), feed=None).serve() as server:
            await Running(server, memory).until(lambda: len(memory.events()) == 2)
        assert {event.feed for event in memory.events()} == {"coinbase"}

    asyncio.run(scenario())


def test_a_closed_connection_is_made_again_with_a_break() -> None:
    """Whatever the server does, reading goes on, and the hole is marked."""

    async def scenario() -> None:
        memory, again = Memory(), Wire()
        first = sends(Wire().ticker(0.2), close=(1011, "redeploy"))
        async with Exchange(first, sends(again.ticker(4.2))).serve() as server:
            running = Running(server, memory)
            await running.until(lambda: len(memory.events()) == 4)
        assert running.picture() == "!start@0.2 T0.2 !reconnect@4.2 T4.2"
        assert [(line.kind, line.reason) for line in running.ledger()][2:] == [
            ("reconnected", "closed"),
            ("break", "reconnect"),
        ]
        assert running.value("ingestor_reconnects_total", reason="closed") >= 1

    asyncio.run(scenario())


def test_the_end_of_a_recording_is_named() -> None:
    """A close with 1000 and that reason is no failure; connecting goes on."""

    async def scenario() -> None:
        end = sends(Wire().ticker(0.2), close=(1000, "end of recording"))
        exchange = Exchange(end)
        async with exchange.serve() as server:
            running = Running(server, Memory())
            await running.until(lambda: exchange.connections == 2)
        assert running.value("ingestor_reconnects_total", reason="end_of_recording") == 1

    asyncio.run(scenario())


def test_a_mute_connection_is_closed() -> None:
    """The watchdog closes, says so in the ledger and changes no event before new frames come."""

    async def scenario() -> None:
        memory = Memory()
        # A connection may also be given up before its frame is read: then its second is missing.
        mute = [sends(Wire().ticker(second)) for second in range(100)]
        async with Exchange(*mute).serve() as server:
            running = Running(server, memory, watchdog_seconds=0.3)
            await running.until(lambda: len(memory.events()) >= 4)
        drawn = running.picture().split()
        seconds = [text.removeprefix("T") for text in drawn[1::2]]
        reasons = ["start"] + ["reconnect"] * (len(seconds) - 1)
        pairs = zip(reasons, seconds, strict=True)
        assert drawn == [text for r, at in pairs for text in (f"!{r}@{at}", f"T{at}")]
        assert seconds == sorted(set(seconds), key=int)
        kinds = [(line.kind, line.reason) for line in running.ledger()]
        assert ("silent", "no frame for 0.3 s") in kinds
        assert ("reconnected", "silent") in kinds
        assert running.value("ingestor_reconnects_total", reason="silent") >= 1

    asyncio.run(scenario())


def test_a_malformed_frame_is_a_dead_letter_and_reading_goes_on() -> None:
    """One bad frame costs itself, and the hole in the numbers is a Break."""

    async def scenario() -> None:
        wire, memory = Wire(), Memory()
        frames = [wire.ticker(0.2), wire.heartbeat(0.3)[:-2], wire.ticker(0.4)]
        async with Exchange(sends(*frames)).serve() as server:
            running = Running(server, memory)
            await running.until(lambda: len(memory.events()) == 4)
        assert running.picture() == "!start@0.2 T0.2 !sequence@0.4 T0.4"
        assert len(memory.topic("dead-letters")) == 1

    asyncio.run(scenario())


def test_a_full_queue_pushes_back_and_loses_nothing() -> None:
    """While Kafka is away the socket is not read; afterwards everything is there, in order."""

    async def scenario() -> None:
        wire, memory = Wire(), Memory(failures=2)
        memory.gate.clear()
        frames = [wire.ticker(n / 100) for n in range(1, 3001)]
        async with Exchange(sends(*frames)).serve() as server:
            running = Running(server, memory, queue_size=10, batch_size=5)
            task = asyncio.create_task(running.service.run())
            await reached(lambda: running.value("ingestor_queue_depth") == 10, task=task)
            memory.gate.set()
            await reached(lambda: len(memory.topic("ticks")) >= 3001, 60, task)
            running.stop.request()
            await task
        ticks = [event.sequence for event in memory.events() if isinstance(event, Tick)]
        assert ticks == list(range(3000))
        assert running.value("ingestor_publish_failures_total") == 2

    asyncio.run(scenario())


def test_beyond_what_is_held_the_loss_is_a_break() -> None:
    """Kafka is away until the exchange has had enough: what was held comes, then a Break.

    frames sent   0 1 2 … 9 10 11 …          (the connection ends) | 0
    queue of 10   0 1 2 … 9
    topic ticks   0 1 2 … k                                 !reconnect 0
    """

    async def scenario() -> None:
        wire, again, memory = Wire(), Wire(), Memory()
        memory.gate.clear()
        full = asyncio.Event()

        async def has_had_enough(_: Exchange, connection: ServerConnection) -> None:
            sending = asyncio.create_task(
                sends(*(wire.ticker(n / 100) for n in range(1, 3001)))(_, connection)
            )
            await full.wait()
            connection.transport.abort()
            await asyncio.wait({sending})

        exchange = Exchange(has_had_enough, sends(again.ticker(90.0)))
        async with exchange.serve() as server:
            running = Running(server, memory, queue_size=10, batch_size=5)
            task = asyncio.create_task(running.service.run())
            await reached(lambda: running.value("ingestor_queue_depth") == 10, task=task)
            full.set()
            memory.gate.set()
            await reached(lambda: running.value("ingestor_queue_depth") == 0, task=task)
            await reached(lambda: "!reconnect@90 T90" in running.picture(), task=task)
            running.stop.request()
            await task
        *held, broken, last = memory.events()[1:]
        assert [event.sequence for event in held] == list(range(len(held)))
        assert len(held) >= 10
        assert (broken.reason, last.sequence) == ("reconnect", 0)

    asyncio.run(scenario())


def test_an_outage_is_spilled_and_drained_in_order(tmp_path: Path) -> None:
    """The socket is read to the end while Kafka is away, and no Break comes of it."""

    async def scenario() -> None:
        wire, memory, spill = Wire(), Memory(), Spill(tmp_path, 10_000_000)
        memory.gate.clear()
        frames = [wire.ticker(n / 100) for n in range(1, 3001)]
        async with Exchange(sends(*frames)).serve() as server:
            running = Running(server, memory, spill, queue_size=10, batch_size=5)
            task = asyncio.create_task(running.service.run())
            await reached(lambda: spill.held > sum(map(len, frames[20:])), task=task)
            assert running.value("ingestor_spill_bytes") == spill.held
            memory.gate.set()
            await reached(lambda: len(memory.topic("ticks")) >= 3001, 60, task)
            await reached(lambda: spill.empty, task=task)
            running.stop.request()
            await task
        first, *ticks = memory.events()
        assert [event.sequence for event in ticks if isinstance(event, Tick)] == list(range(3000))
        assert len(ticks) == 3000 and first.reason == "start"
        assert running.value("ingestor_spill_full_total") == 0

    asyncio.run(scenario())


def test_what_a_killed_process_spilled_is_published_by_the_next(tmp_path: Path) -> None:
    """First, under its own feed and behind a Break; then what the new connection brings."""
    left = Spill(tmp_path, 10_000_000)
    wire, again, memory = Wire(), Wire(), Memory()
    left.begin(Opened("old", 1))
    for n in range(1, 6):
        left.write(Received(wire.ticker(n / 100), WHEN + n))
    left.close()

    async def scenario() -> None:
        async with Exchange(sends(again.ticker(90.0))).serve() as server:
            running = Running(server, memory, Spill(tmp_path, 10_000_000))
            await running.until(lambda: len(memory.topic("ticks")) >= 8)
            ended = [line.reason for line in running.ledger() if line.kind == "reconnected"]
            assert ended[:1] == [KILLED]

    asyncio.run(scenario())
    feeds = [event.feed for event in memory.events()]
    assert feeds == ["old"] * 6 + ["test-1"] * 2


def test_what_is_held_is_published_at_the_end() -> None:
    """An end that is wished for drains the queue first."""

    async def scenario() -> None:
        wire, memory = Wire(), Memory()
        memory.gate.clear()
        frames = [wire.ticker(n / 100) for n in range(1, 51)]
        async with Exchange(sends(*frames)).serve() as server:
            running = Running(server, memory, batch_size=1)
            task = asyncio.create_task(running.service.run())
            await reached(lambda: running.value("ingestor_queue_depth") == 50, task=task)
            running.stop.request()
            await reached(lambda: running.value("ingestor_connected") == 0, task=task)
            memory.gate.set()
            await task
        assert len(memory.topic("ticks")) == 51

    asyncio.run(scenario())


def test_an_end_without_kafka_says_what_was_lost() -> None:
    """Draining has a limit; beyond it the end is an error that counts."""

    async def scenario() -> None:
        memory = Memory(failures=10**9)
        async with Exchange(sends(Wire().ticker(0.2))).serve() as server:
            running = Running(server, memory, drain_seconds=0.2)
            task = asyncio.create_task(running.service.run())
            await reached(lambda: not running.outbox.well, task=task)
            running.stop.request()
            with pytest.raises(Undelivered, match="not taken by Kafka"):
                await task

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS])
def test_a_refusing_server_is_tried_again(status: HTTPStatus) -> None:
    """What can become right by waiting is tried again, without limit."""

    async def scenario() -> None:
        refusals = iter(range(8))

        def refuse(connection: ServerConnection, _: Request) -> Response | None:
            more = next(refusals, None) is not None
            return connection.respond(status, "later") if more else None

        memory, exchange = Memory(), Exchange(sends(Wire().ticker(0.2)))
        async with serve(exchange, "127.0.0.1", 0, process_request=refuse) as server:
            running = Running(server, memory)
            await running.until(lambda: len(memory.events()) == 2)
        assert running.value("ingestor_reconnects_total", reason="refused") == 8
        told = running.ledger()
        assert [line.kind for line in told] == ["silent", "connected", "break"]
        assert (told[0].reason or "").startswith(f"{UNREACHABLE}ws://127.0.0.1")

    asyncio.run(scenario())


def test_a_wrong_address_is_given_up() -> None:
    """What can never become right ends the service with the reason."""

    async def scenario() -> None:
        def refuse(connection: ServerConnection, _: Request) -> Response:
            return connection.respond(HTTPStatus.NOT_FOUND, "no such path")

        async with serve(Exchange(), "127.0.0.1", 0, process_request=refuse) as server:
            with pytest.raises(InvalidStatus):
                await Running(server, Memory()).service.run()

    asyncio.run(scenario())


def test_a_tick_is_published_at_once() -> None:
    """A lone frame waits for nothing: it is in Kafka long before the next one.

    A delay of the product's own would be in each; one of a busy machine is in some.
    """

    async def scenario() -> None:
        wire, memory = Wire(), Memory()

        async def answered(_: Exchange, connection: ServerConnection) -> None:
            for number in range(20):
                await connection.send(wire.ticker(0.2 + number / 10).decode())
                await reached(lambda number=number: len(memory.events()) == number + 2)  # type: ignore[misc]

        async with Exchange(answered).serve() as server:
            running = Running(server, memory)
            await running.until(lambda: len(memory.events()) == 21)
        soon = {"stage": "received_to_published", "le": "0.04"}
        assert running.value("ingestor_stage_duration_seconds_bucket", **soon) >= 3

    asyncio.run(scenario())


def test_the_courier_works_off_in_order() -> None:
    """One thread makes the calls one after the other and hands back what they raised."""
    courier = Courier()
    seen: list[str] = []
    courier.submit(lambda: seen.append(threading.current_thread().name))
    failed = courier.submit(lambda: [][0])
    courier.submit(lambda: seen.append("last")).result(timeout=60)
    assert seen == ["courier", "last"]
    with pytest.raises(IndexError):
        failed.result(timeout=60)


def test_defaults_are_the_live_market() -> None:
    """Without any setting the real exchange is read, all three channels."""
    settings = Settings()
    assert settings.ws_url == "wss://advanced-trade-ws.coinbase.com"
    assert settings.product_ids == ("BTC-USD",)
    assert settings.channel_names == ("ticker", "heartbeats", "market_trades", "status")
    assert settings.port == 9101


def test_products_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are plain text in the environment."""
    monkeypatch.setenv("INGESTOR_PRODUCTS", "BTC-USD, ETH-USD")
    assert Settings().product_ids == ("BTC-USD", "ETH-USD")


def test_every_setting_says_what_it_is() -> None:
    """Each field has a sentence under it."""
    assert all(field.description for field in Settings.model_fields.values())

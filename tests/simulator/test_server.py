"""The simulator over real sockets."""

import asyncio
import json
import socket as sockets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ingestor.continuity import events
from ingestor.instant import instant
from ingestor.recordings.recording import Frame, RecordingError, read_frames
from ingestor.tick import Break, Event, Tick
from simulator.admin import Admin
from simulator.config import SimulatorSettings
from simulator.market import frames
from simulator.metrics import Metrics
from simulator.server import Exchange
from simulator.source import source_of
from tests.ports import IPV6, held_port

START = 1_704_067_200_000_000
NOW = 1_790_000_000_000_000
FAST = 100_000.0


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of a generated market, as a capture of bare frames."""
    path = tmp_path_factory.mktemp("recording") / "made_2min.ndjson"
    path.write_bytes(
        b"".join(f.data + b"\n" for f in frames(7, ["BTC-USD", "ETH-USD"], START, 120))
    )
    return path


@asynccontextmanager
async def running(
    patience: float = 60.0, alone: float = 60.0, **given: Any
) -> AsyncIterator[tuple[Exchange, Admin]]:
    """A simulator on free ports that is never in a hurry with its clients."""
    settings = SimulatorSettings(port=0, admin_port=0, **given)
    metrics = Metrics(CollectorRegistry())
    exchange = Exchange(settings, source_of(settings, NOW), metrics, subscribe_within_s=patience)
    admin = Admin(exchange, metrics, settings.host, 0, faults=settings.faults)
    await exchange.open()
    await admin.open()
    playing = asyncio.create_task(exchange.play())
    try:
        with patch("simulator.server.TICKER_ALONE_S", alone):
            yield exchange, admin
    finally:
        playing.cancel()
        await exchange.close()
        await admin.close()


def dial(exchange: Exchange) -> connect:
    """A connection to it."""
    return connect(f"ws://127.0.0.1:{exchange.port}")


async def subscribe(client: ClientConnection, *channels: str) -> None:
    """Subscribe to both products."""
    for channel in channels:
        message = {"type": "subscribe", "channel": channel}
        message |= {"product_ids": ["BTC-USD", "ETH-USD"]} if channel != "heartbeats" else {}
        await client.send(json.dumps(message))


async def read(client: ClientConnection, count: int = 1_000_000) -> list[dict[str, Any]]:
    """Read frames up to the close, or so many."""
    got = []
    try:
        while len(got) < count:
            got.append(json.loads(await client.recv()))
    except ConnectionClosed:
        pass
    return got


async def subscribed(client: ClientConnection, channel: str) -> list[dict[str, Any]]:
    """Subscribe, and read up to the ack."""
    await subscribe(client, channel)
    got = await read(client, 1)
    while got[-1]["channel"] != "subscriptions":
        got += await read(client, 1)
    return got


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    """Read to the end; gives code and reason."""
    await read(client)
    return client.close_code, client.close_reason


async def fetch(admin: Admin, path: str) -> tuple[int, str]:
    """Ask the admin interface."""
    url = f"http://127.0.0.1:{admin.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


def _content(event: Event) -> dict[str, Any]:
    """The event without what belongs to the connection: when it came and its number."""
    return {**msgspec.to_builtins(event), "received_us": None, "sequence": None}


def of_recording(path: Path) -> Counter[str]:
    """How many frames of each channel the file has."""
    return Counter(json.loads(line)["channel"] for line in path.read_text().splitlines())


def test_every_frame_of_a_recording_arrives_and_the_end_is_told(recording: Path) -> None:
    """At a very high speed all frames come, numbered without a hole, then a close that says why."""

    async def scene() -> None:
        async with running(recording=recording, speed=FAST) as (exchange, _):
            async with dial(exchange) as client:
                await subscribe(client, "market_trades", "ticker", "heartbeats")
                got = await read(client)
            assert [f["sequence_num"] for f in got] == list(range(len(got)))
            counts = Counter(f["channel"] for f in got)
            assert counts.pop("subscriptions") == 3
            assert counts == of_recording(recording)
            assert (client.close_code, client.close_reason) == (1000, "end of recording")

    asyncio.run(scene())


def test_live_and_batch_see_the_same_events(recording: Path) -> None:
    """Over the socket the ingestor's core makes the same events as from the file itself."""

    async def scene() -> list[Frame]:
        async with (
            running(recording=recording, speed=FAST) as (exchange, _),
            dial(exchange) as client,
        ):
            await subscribe(client, "market_trades", "ticker", "heartbeats")
            return [Frame(NOW, json.dumps(frame).encode()) for frame in await read(client)]

    live = [_content(event) for event in events(asyncio.run(scene()), "f")]
    batch = [_content(event) for event in events(read_frames(recording), "f")]
    assert live == batch


def test_a_slow_reader_loses_nothing(recording: Path) -> None:
    """A client that begins to read only when all is over still gets every frame."""

    async def scene() -> None:
        async with running(recording=recording, speed=FAST) as (exchange, _):
            async with dial(exchange) as slow, dial(exchange) as quick:
                await subscribe(slow, "ticker")
                await subscribe(quick, "ticker", "heartbeats")
                await read(quick, 500)
                got, _ = await asyncio.gather(read(slow), read(quick))
            counts = Counter(f["channel"] for f in got)
            assert counts["ticker"] == of_recording(recording)["ticker"]

    asyncio.run(scene())


def test_after_the_end_connections_get_the_same_close(recording: Path) -> None:
    """Who comes too late is told that the recording is over."""

    async def scene() -> None:
        async with running(recording=recording, speed=FAST) as (exchange, admin):
            async with dial(exchange) as first:
                await subscribe(first, "ticker", "heartbeats")
                await closed(first)
            async with dial(exchange) as late:
                assert await closed(late) == (1000, "end of recording")
            assert json.loads((await fetch(admin, "/status"))[1])["state"] == "ended"

    asyncio.run(scene())


def test_a_loop_plays_again_as_a_new_feed(recording: Path) -> None:
    """With ``loop``, the next handshake names another feed and has all frames again."""

    async def scene() -> None:
        feeds, counts = [], []
        async with running(recording=recording, speed=FAST, loop=True) as (exchange, _):
            for _ in range(2):
                async with dial(exchange) as client:
                    assert client.response
                    feeds.append(client.response.headers["X-Feed-Id"])
                    await subscribe(client, "ticker", "heartbeats")
                    counts.append(Counter(f["channel"] for f in await read(client)))
        assert len(set(feeds)) == 2 and all(f.startswith("made_2min@") for f in feeds)
        assert counts[0] == counts[1]

    asyncio.run(scene())


def test_the_clock_waits_for_the_first_complete_subscription(recording: Path) -> None:
    """Before it, a connection has no frames; a ticker alone starts the clock a second later."""

    async def scene() -> None:
        async with (
            running(alone=1.0, recording=recording, speed=FAST) as (exchange, _),
            dial(exchange) as client,
        ):
            await subscribe(client, "heartbeats")
            assert (await read(client, 1))[0]["channel"] == "subscriptions"
            assert exchange.run.state == "waiting"
            await client.send('{"type":"unsubscribe","channel":"heartbeats"}')
            began = asyncio.get_running_loop().time()
            await subscribe(client, "ticker")
            await read(client)
            assert asyncio.get_running_loop().time() - began >= 1.0

    asyncio.run(scene())


def test_a_later_connection_joins_at_the_present() -> None:
    """It starts at number 0 with the quote that stands, not at the beginning."""

    async def scene() -> None:
        async with (
            running(speed=200.0) as (exchange, _),
            dial(exchange) as first,
            dial(exchange) as second,
        ):
            await subscribe(first, "ticker", "heartbeats")
            seen = (await read(first, 300))[-1]["timestamp"]
            await subscribe(second, "ticker")
            snapshot = (await read(second, 1))[0]
            assert snapshot["sequence_num"] == 0
            assert snapshot["events"][0]["type"] == "snapshot"
            assert snapshot["timestamp"] > seen[:17]

    asyncio.run(scene())


def test_a_connection_that_asks_for_nothing_is_dropped() -> None:
    """The exchange waits five seconds for a subscription; the test less."""

    async def scene() -> None:
        async with running(patience=0.05) as (exchange, _), dial(exchange) as client:
            assert (await closed(client))[0] == 1008

    asyncio.run(scene())


def test_the_status_says_what_is_played_and_what_was_sent(recording: Path) -> None:
    """Counts by product, the recording's name and digest, state, event time and speed."""

    async def scene() -> None:
        async with running(recording=recording, speed=FAST) as (exchange, admin):
            before = json.loads((await fetch(admin, "/status"))[1])
            assert (before["state"], before["sent"]["heartbeats"]) == ("waiting", 0)
            async with dial(exchange) as client:
                await subscribe(client, "ticker", "heartbeats")
                got = await read(client)
            after = json.loads((await fetch(admin, "/status"))[1])
        tickers = [t for f in got if f["channel"] == "ticker" for t in f["events"][0]["tickers"]]
        assert after["sent"]["ticker"] == Counter(t["product_id"] for t in tickers)
        assert after["sent"]["heartbeats"] == 120
        assert after["recording"] == recording.name and len(after["sha256"]) == 64
        assert after["products"] == ["BTC-USD", "ETH-USD"] and after["speed"] == FAST
        assert after["event_time_us"] > before["event_time_us"] == START

    asyncio.run(scene())


@IPV6
@pytest.mark.parametrize(("host", "name"), [("[::1]", "::1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_it_listens_on_ipv6(recording: Path, host: str, name: str) -> None:
    """At an address of its own, or with IPv4."""

    async def listening() -> set[str]:
        port = held_port()
        settings = SimulatorSettings(port=port, recording=recording, host=host)
        exchange = Exchange(settings, source_of(settings, NOW), Metrics(CollectorRegistry()))
        admin = Admin(exchange, Metrics(CollectorRegistry()), settings.host, held_port())
        await exchange.open()
        await admin.open()
        at = {where.getsockname()[0] for where in exchange._server.sockets}  # type: ignore[union-attr]
        _, writer = await asyncio.open_connection(name, port)
        writer.close()
        _, writer = await asyncio.open_connection(name, admin.port)
        writer.close()
        await exchange.close()
        await admin.close()
        return at

    assert asyncio.run(listening()) == ({"::", "0.0.0.0"} if host == "::" else {"::1"})


def test_the_admin_interface_answers_probes_and_metrics() -> None:
    """Alive and ready while listening; frames sent are counted by kind from the beginning."""

    async def scene() -> None:
        async with running() as (_, admin):
            assert [(await fetch(admin, p))[0] for p in ("/healthz", "/readyz")] == [200, 200]
            metrics = (await fetch(admin, "/metrics"))[1]
        assert 'simulator_frames_sent_total{kind="ticker"} 0.0' in metrics

    asyncio.run(scene())


def test_compression_is_offered() -> None:
    """A client that asks for permessage-deflate gets it."""

    async def scene() -> None:
        async with running() as (exchange, _), dial(exchange) as client:
            assert client.response
            assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]

    asyncio.run(scene())


def test_a_killed_client_does_not_stop_the_feed(recording: Path) -> None:
    """The others get everything."""

    async def scene() -> None:
        async with running(recording=recording, speed=FAST) as (exchange, _):
            async with dial(exchange) as victim, dial(exchange) as other:
                await subscribe(victim, "ticker")
                await read(victim, 3)
                await subscribe(other, "ticker", "heartbeats")
                victim.transport.abort()
                got = await read(other)
            counts = Counter(f["channel"] for f in got)
            assert counts["ticker"] == of_recording(recording)["ticker"]

    asyncio.run(scene())


def test_a_recording_from_the_future_is_refused(recording: Path) -> None:
    """Event time must not run ahead of the clock, so such a recording cannot begin."""
    with pytest.raises(RecordingError, match="expected none after this machine's clock"):
        source_of(SimulatorSettings(recording=recording), START)


def test_a_taken_port_is_an_error_of_the_system() -> None:
    """Whoever starts it learns that the port is taken."""

    async def scene() -> None:
        with sockets.create_server(("127.0.0.1", 0)) as taken:
            settings = SimulatorSettings(port=taken.getsockname()[1])
            metrics = Metrics(CollectorRegistry())
            with pytest.raises(OSError, match="in use"):
                await Exchange(settings, source_of(settings, NOW), metrics).open()

    asyncio.run(scene())


async def market(connections: int = 1, **given: Any) -> list[list[Event]]:
    """Ticks and beats of a generated minute and a half, as each of so many clients sees them."""
    async with running(length=90, **given) as (exchange, admin):
        clients = [await dial(exchange) for _ in range(connections)]
        first = [await subscribed(client, "ticker") for client in reversed(clients)][::-1]
        await subscribe(clients[0], "market_trades")
        for client in clients:
            await subscribe(client, "heartbeats")
        rest = await asyncio.gather(*(read(client) for client in clients))
        got = [early + late for early, late in zip(first, rest, strict=True)]
        assert {client.close_reason for client in clients} == {"end of recording"}
        assert json.loads((await fetch(admin, "/status"))[1])["state"] == "ended"
        async with dial(exchange) as late:
            assert await closed(late) == (1000, "end of recording")
    return [
        [e for e in events((Frame(NOW, json.dumps(f).encode()) for f in each), "f") if _quoted(e)]
        for each in got
    ]


def _quoted(event: Event) -> bool:
    return not isinstance(event, Break)


def test_a_market_of_a_length_ends_as_a_recording_does() -> None:
    """It closes and says so, to those who were there and to those who come later."""
    [seen] = asyncio.run(market(speed=FAST))
    last = max(event.time_us for event in seen)
    assert START + 85_000_000 < last < START + 90_000_000
    assert {event.product_id for event in seen} == {"BTC-USD", "ETH-USD"}


def test_a_market_of_a_length_is_the_same_at_any_speed() -> None:
    """Equal seed, start, products and length give equal ticks and beats; another seed others."""
    slow, quick = (asyncio.run(market(speed=speed)) for speed in (60.0, FAST))
    assert [_content(e) for e in slow[0]] == [_content(e) for e in quick[0]]
    other = asyncio.run(market(speed=FAST, seed=8))
    assert [_content(e) for e in other[0]] != [_content(e) for e in quick[0]]


def test_several_clients_see_the_same_market() -> None:
    """Whoever subscribed before the clock began has every tick of it."""
    views = asyncio.run(market(connections=3, speed=FAST))
    contents = [[_content(e) for e in view if isinstance(e, Tick)] for view in views]
    assert len(contents[0]) > 200
    assert contents[1] == contents[0] == contents[2]


def test_a_looped_market_of_a_length_begins_again() -> None:
    """With ``loop`` the same market comes as a new feed."""

    async def scene() -> None:
        seen = []
        async with running(speed=FAST, loop=True, length=20) as (exchange, _):
            for _ in range(2):
                async with dial(exchange) as client:
                    assert client.response
                    feed = client.response.headers["X-Feed-Id"]
                    await subscribe(client, "ticker", "heartbeats")
                    got = await read(client)
                seen.append((feed, [f for f in got if f["channel"] == "ticker"]))
        assert seen[0][0] != seen[1][0] and seen[0][1] == seen[1][1]

    asyncio.run(scene())


@pytest.mark.captures
@pytest.mark.exhaustive
def test_a_real_capture_arrives_in_full(captures: Path) -> None:
    """All 5970 tickers of the 20-minute capture come over the socket at speed 2000."""

    async def scene() -> None:
        path = captures / "adv_ticker_btc_20260405T2235_20min.ndjson.gz"
        async with running(recording=path, speed=2000.0) as (exchange, _), dial(exchange) as client:
            await client.send('{"type":"subscribe","channel":"ticker","product_ids":["BTC-USD"]}')
            await client.send('{"type":"subscribe","channel":"heartbeats"}')
            counts = Counter(f["channel"] for f in await read(client))
        assert counts == {"ticker": 5970, "heartbeats": 1199, "subscriptions": 2}

    asyncio.run(scene())


async def post(admin: Admin, data: bytes, kind: str = "application/json") -> tuple[int, str]:
    """Ask for a fault."""
    url, headers = f"http://127.0.0.1:{admin.port}/faults", {"Content-Type": kind}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=data, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def test_faults_are_absent_unless_allowed() -> None:
    """A simulator of compose or kind has none."""

    async def scenario() -> tuple[tuple[int, str], tuple[int, str]]:
        async with running() as (_, admin):
            return await fetch(admin, "/faults"), await post(admin, b'{"kind": "drop"}')

    assert [status for status, _ in asyncio.run(scenario())] == [404, 404]


def test_a_fault_is_taken_as_json_alone_and_can_be_ended() -> None:
    """A form of another page is refused, and what is no fault is named."""

    async def scenario() -> list[tuple[int, str]]:
        async with running(faults=True) as (exchange, admin):
            got = [
                await post(admin, b'{"kind": "drop"}', "text/plain"),
                await post(admin, b'{"kind": "no"}'),
                await post(admin, b'{"kind": "slow", "seconds": 60}'),
                await fetch(admin, "/faults"),
            ]
            url = f"http://127.0.0.1:{admin.port}/faults"
            async with aiohttp.ClientSession() as session, session.delete(url) as answer:
                got.append((answer.status, str(list(exchange.faults.standing()))))
            return got

    text, unknown, slow, standing, ended = asyncio.run(scenario())
    assert (text[0], unknown[0], slow[0], ended) == (415, 422, 202, (204, "[]"))
    assert "expected application/json" in text[1] and "clock, crash, delist, drop" in unknown[1]
    [fault] = json.loads(standing[1])["faults"]
    assert fault["kind"] == "slow" and 0 < fault["left_seconds"] <= 60


def test_what_happens_at_once_happens_to_each_connection(recording: Path) -> None:
    """A frame that is none, then numbers lost, and at last the connection itself."""

    async def scenario() -> list[Any]:
        async with (
            running(faults=True, recording=recording) as (exchange, admin),
            dial(exchange) as client,
        ):
            [*_, ack] = await subscribed(client, "ticker")
            await post(admin, b'{"kind": "malformed", "form": "no_json"}')
            broken = await client.recv()
            await post(admin, b'{"kind": "skip", "count": 7}')
            [*_, again] = await subscribed(client, "market_trades")
            await post(admin, b'{"kind": "drop"}')
            await read(client)
            return [ack["sequence_num"], broken, again["sequence_num"], client.close_code]

    first, broken, second, code = asyncio.run(scenario())
    assert broken == "<html><body>502 Bad Gateway</body></html>"
    assert second - first >= 8 and code == 1006


def test_a_muted_channel_says_nothing_while_the_others_go_on(recording: Path) -> None:
    """A subscription to it is granted, and nothing follows; the clock is off for all."""

    async def scenario() -> list[dict[str, Any]]:
        async with (
            running(faults=True, recording=recording, speed=FAST) as (exchange, admin),
            dial(exchange) as client,
        ):
            await post(admin, b'{"kind": "mute", "channel": "ticker", "seconds": 3600}')
            await post(admin, b'{"kind": "clock", "step_seconds": 60, "seconds": 3600}')
            await subscribe(client, "ticker", "market_trades", "heartbeats")
            return await read(client)

    got = asyncio.run(scenario())
    kinds = Counter(frame["channel"] for frame in got)
    assert kinds["ticker"] == 0 and kinds["market_trades"] > 10 and kinds["heartbeats"] > 100
    assert [frame["sequence_num"] for frame in got] == list(range(len(got)))
    assert got[-1]["timestamp"] > "2024-01-01T00:02:30"


def test_a_delisted_product_is_refused_and_silent(recording: Path) -> None:
    """The other one goes on; a channel that is refused is refused to all."""

    async def scenario() -> list[dict[str, Any]]:
        async with (
            running(faults=True, recording=recording, speed=FAST) as (exchange, admin),
            dial(exchange) as client,
        ):
            await post(admin, b'{"kind": "delist", "product_id": "ETH-USD", "seconds": 3600}')
            await post(admin, b'{"kind": "refuse", "channel": "market_trades", "seconds": 3600}')
            await subscribe(client, "ticker", "market_trades")
            one = {"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD"]}
            await client.send(json.dumps(one))
            await subscribe(client, "heartbeats")
            return await read(client)

    refused, trades, *got = asyncio.run(scenario())
    assert "ETH-USD is not a valid product" in refused["message"]
    assert "market_trades is not available" in trades["message"]
    assert {frame["channel"] for frame in got} == {"ticker", "subscriptions", "heartbeats"}


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (b'{"kind": "crash"}', "expected a generated market"),
        (b'{"kind": "regime", "mood": "wild", "seconds": 5}', "found the recording made_2min"),
    ],
)
def test_a_recording_has_no_other_market(recording: Path, fault: bytes, named: str) -> None:
    """Its prices are what they were."""

    async def scenario() -> tuple[int, str]:
        async with running(faults=True, recording=recording) as (_, admin):
            return await post(admin, fault)

    status, told = asyncio.run(scenario())
    assert status == 422 and named in told


def test_a_product_that_there_is_not_cannot_crash() -> None:
    """Those that there are, are named; one of them, or all, can."""

    async def scenario() -> list[tuple[int, str]]:
        async with running(faults=True) as (_, admin):
            named = (b'"XRP-USD"', b'"BTC-USD"', b"null")
            return [
                await post(admin, b'{"kind": "crash", "product_id": %s}' % each) for each in named
            ]

    refused, *taken = asyncio.run(scenario())
    assert refused[0] == 422 and "expected one of BTC-USD, ETH-USD" in refused[1]
    assert [status for status, _ in taken] == [202, 202]


def test_a_history_is_caught_up_at_once_and_then_keeps_to_the_clock() -> None:
    """Frames of five minutes come in moments, none is missing, and the next ones follow."""

    async def scene() -> None:
        async with running(history_seconds=300) as (exchange, _), dial(exchange) as client:
            assert exchange.status()["behind_seconds"] == pytest.approx(300, abs=30)
            await subscribe(client, "ticker", "heartbeats")
            made: list[dict[str, Any]] = []
            while exchange.status()["behind_seconds"] > 1 or len(made) < 300:
                made += await read(client, 20)
            made += await read(client, 5)
            assert exchange.status()["behind_seconds"] < 1
            assert [m["sequence_num"] for m in made] == [*range(len(made))]

    asyncio.run(scene())


def test_no_frame_of_a_history_comes_before_its_time() -> None:
    """From the seam on event time is that of the clock, and never ahead of it."""

    async def scene() -> list[float]:
        async with running(history_seconds=20) as (exchange, _), dial(exchange) as client:
            await subscribe(client, "ticker", "heartbeats")
            lags = list[float]()
            while len(lags) < 150:
                (message,) = await read(client, 1)
                lags.append(time.time() - instant(message["timestamp"])[0] / 1e6)
            return lags

    lags = asyncio.run(scene())
    assert min(lags) >= 0
    assert lags[-1] < 5

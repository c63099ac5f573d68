"""Several model servers behind one address: a request is lost only where all of them are gone."""

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from featurizer.features import EXAMPLE, NAMES
from serving.client import AGAIN_SECONDS, V2Client
from serving.connections import ROTATE_SECONDS, ConnectionPool
from serving.v2 import ModelAway
from tests.balancer import Balancer

ROW = tuple(EXAMPLE[name] for name in NAMES)
PATIENCE = 60.0
"""Seconds for a whole request, where its time limit is not what is tested."""
TRY_SECONDS = 1 / 16
"""What a connection costs on the clock of ``opened``, whatever the machine is doing."""


@pytest.fixture
def pair(make_v2):
    """Two V2 servers."""
    return make_v2(), make_v2()


@pytest.fixture
def balancer(pair):
    """One address for both."""
    made = Balancer(*(server.port for server in pair))
    yield made
    made.close()


def spent(balancer: Balancer) -> float:
    """Seconds that its connections have cost."""
    return TRY_SECONDS * balancer.opened.total()


@pytest.fixture
def opened(balancer) -> Callable[[], V2Client]:
    """Makes clients for which time passes by connecting alone."""
    return lambda: V2Client(balancer.url, timeout=PATIENCE, clock=lambda: spent(balancer))


def test_a_killed_replica_costs_no_request(pair, balancer, opened):
    """While one of two is gone, but still among the addresses, each request finds the other."""

    async def scene() -> None:
        async with opened() as client:
            for number in range(60):
                if number == 20:
                    await asyncio.to_thread(pair[0].stop)
                assert (await client.infer("ml", [ROW])).info.variant == "ml"
                if number % 5 == 0:  # a new connection may meet the dead one
                    client._connections.retire(client._connections._newest)

    asyncio.run(scene())
    assert balancer.opened[pair[0].port] > 1


def test_a_connection_that_dies_under_a_request_is_replaced(pair, balancer, opened):
    """The server goes while it works on the request: another one answers."""

    async def scene() -> None:
        pair[0].hang = True
        balancer.replicas = [pair[0].port]
        async with opened() as client:
            asking = asyncio.create_task(client.infer("ml", [ROW]))
            assert await asyncio.to_thread(pair[0].waiting.wait, 60)
            balancer.replicas = [pair[1].port]
            await asyncio.to_thread(pair[0].stop)
            assert (await asking).info.variant == "ml"

    asyncio.run(scene())
    assert len(pair[1].requests) == 1


TAKEN = "File descriptor 24 is used by transport <TCPTransport closed=False reading=True 0x1>"


@pytest.fixture
def failing(monkeypatch):
    """Makes the first requests of sessions fail with an error of the loop."""

    def fail(times: int, said: str) -> None:
        left, ask = [RuntimeError(said)] * times, aiohttp.ClientSession.request

        def request(*args, **kwargs):
            if left:
                raise left.pop()
            return ask(*args, **kwargs)

        monkeypatch.setattr(aiohttp.ClientSession, "request", request)

    return fail


def test_a_socket_whose_number_is_taken_is_replaced(pair, opened, failing):
    """As uvloop says where one before was closed while it connected: a new one is opened."""
    failing(2, TAKEN)

    async def scene() -> None:
        async with opened() as client:
            assert (await client.infer("ml", [ROW])).info.variant == "ml"

    asyncio.run(scene())


def test_any_other_error_of_ours_is_told(pair, opened, failing):
    """It is no matter of connections."""
    failing(1, "Session is closed")

    async def scene() -> None:
        async with opened() as client:
            with pytest.raises(RuntimeError, match="Session is closed"):
                await client.infer("ml", [ROW])

    asyncio.run(scene())


def test_with_no_replica_the_answer_comes_in_time(balancer, opened):
    """It is tried for a moment only, so that the fallback or the 503 comes within the SLO."""
    balancer.replicas = []

    async def scene() -> None:
        async with opened() as client:
            with pytest.raises(ModelAway):
                await client.infer("ml", [ROW])

    asyncio.run(scene())
    assert 4 * TRY_SECONDS <= spent(balancer) <= AGAIN_SECONDS + TRY_SECONDS


def test_in_a_lasting_outage_the_answer_comes_at_once(pair, balancer, opened):
    """After one request found no replica the next try twice; the first answer ends that."""

    async def scene() -> list[int]:
        tries = []
        async with opened() as client:
            for replicas in ([], [], [pair[0].port], []):
                balancer.replicas, before = replicas, balancer.opened[1]
                try:
                    await client.infer("ml", [ROW])
                except ModelAway:
                    tries.append(balancer.opened[1] - before)
                client._connections.retire(client._connections._newest)
        return tries

    first, second, after = asyncio.run(scene())
    assert second == 2 and min(first, after) >= 4


def test_the_time_limit_holds_over_all_tries(balancer):
    """Trying again is part of the time given: by a clock that stands it would never end."""
    balancer.replicas = []

    async def scene() -> None:
        async with V2Client(balancer.url, timeout=PATIENCE, clock=lambda: 0.0) as client:
            with pytest.raises(ModelAway, match=r"within 0\.1 s"):
                await asyncio.wait_for(client.infer("ml", [ROW], within=0.1), PATIENCE / 2)

    asyncio.run(scene())


def test_a_refusal_is_not_asked_again(pair, opened):
    """An answer is an answer, whatever its status."""
    for server in pair:
        server.status = {"ml": 500}

    async def scene() -> None:
        async with opened() as client:
            with pytest.raises(ModelAway, match="found status 500"):
                await client.infer("ml", [ROW])

    asyncio.run(scene())
    assert len(pair[0].requests) + len(pair[1].requests) == 1


def test_connections_are_renewed_so_that_each_replica_gets_its_share(pair, balancer):
    """Under constant load a connection would stay with one replica for ever."""
    now = 0.0

    async def scene() -> None:
        nonlocal now
        async with V2Client(balancer.url, timeout=PATIENCE, clock=lambda: now) as client:
            for _ in range(40):
                await client.infer("ml", [ROW])
                now += ROTATE_SECONDS / 10

    asyncio.run(scene())
    shares = sorted(len(server.requests) for server in pair)
    assert sum(shares) == 40 and shares[0] >= 10
    assert sum(balancer.opened.values()) <= 5


def test_an_old_generation_closes_after_its_last_request():
    """A request under way is not cut off by a rotation, and nothing stays open after it."""
    now = 0.0

    async def scene() -> None:
        nonlocal now
        connections = ConnectionPool(lambda: now)
        async with connections.lend() as old:
            now += ROTATE_SECONDS
            async with connections.lend() as new:
                assert new is not old
            assert not old.session.closed
        assert old.session.closed and not new.session.closed
        await connections.close()
        assert new.session.closed

    asyncio.run(scene())

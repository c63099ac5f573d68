"""Keep-alive connections to a model server that may be several replicas behind one address."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

KEEP_ALIVE_SECONDS: Final = 3.0
"""Below the 5 s after which MLServer closes an idle connection, or a request could meet the end."""
ROTATE_SECONDS: Final = 10.0
"""A connection stays with its replica for ever: so late, a new replica gets its share."""


@dataclass(eq=False, slots=True)
class Generation:
    """Connections that were opened within one stretch; ``users`` are requests under way."""

    session: aiohttp.ClientSession
    born: float
    users: int = 0


class ConnectionPool:
    """Lends connections of the newest generation; the older ones close after their last request.

    Open it with ``async with``, in the loop that will use it. ``clock`` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest: Generation | None = None
        self._all: set[Generation] = set()

    async def close(self) -> None:
        """Close all, also under requests under way."""
        closing, self._all, self._newest = self._all, set(), None
        for generation in closing:
            await generation.session.close()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Generation]:
        """Lend a generation for one request; its session opens connections as they are needed."""
        generation = self._current()
        generation.users += 1
        try:
            yield generation
        finally:
            generation.users -= 1
            await self._sweep()

    def retire(self, generation: Generation) -> None:
        """Use it no more: what comes next is a new connection, perhaps to another replica."""
        if self._newest is generation:
            self._newest = None

    def _current(self) -> Generation:
        now, newest = self._clock(), self._newest
        if newest is None or now - newest.born >= ROTATE_SECONDS:
            newest = self._newest = Generation(_session(), now)
            self._all.add(newest)
        return newest

    async def _sweep(self) -> None:
        done = [each for each in self._all if each is not self._newest and not each.users]
        self._all.difference_update(done)
        for each in done:
            await each.session.close()


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
        auto_decompress=False,
        skip_auto_headers=("Accept-Encoding", "User-Agent", "Content-Type"),
        cookie_jar=aiohttp.DummyCookieJar(),
    )

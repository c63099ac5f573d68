"""A service address as a cluster has it: each new connection goes to one of the replicas."""

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from itertools import cycle


class Balancer:
    """Passes connections on in turn; a replica in ``replicas`` that is gone resets its share.

    Taking one out of ``replicas`` stops new connections to it; those that stand go on.
    """

    def __init__(self, *replicas: int) -> None:
        self.replicas = list(replicas)
        self.opened: Counter[int] = Counter()
        self._turn = cycle(range(1_000_000))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(60)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _open(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._pass(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replicas = tuple(self.replicas)
        port = replicas[next(self._turn) % len(replicas)] if replicas else 1
        self.opened[port] += 1
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_copy(reader, forth), _copy(back, writer))
        finally:
            forth.transport.abort()
            writer.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until the end, and pass the end on."""
    with suppress(ConnectionError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    target.close()
    with suppress(ConnectionError):
        await target.wait_closed()

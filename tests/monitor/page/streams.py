"""What open pages cost a monitor: ``python -m tests.monitor.page.streams ADDRESS PAGES SECONDS``.

Prints the cores that a running monitor uses, by its own ``process_cpu_seconds_total``: with nobody
there, with so many open streams, and with so many pages, which ask for all that a page asks for, as
often as it does.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

OFTEN_SECONDS: Final = 10.0
RARELY_SECONDS: Final = 60.0
OFTEN: Final = (
    "signals/history?product={product}&from={since}&step=1",
    "signals?product={product}&limit=500",
    "service",
)
RARELY: Final = ("signals/record?product={product}&days=7", "health", "drift.json")
"""What `files/main.js` asks for."""


async def used(session: aiohttp.ClientSession) -> float:
    """CPU seconds of the monitor so far."""
    async with session.get("metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(ln.split()[1]) for ln in lines if ln.startswith("process_cpu_seconds_total "))


async def stream(session: aiohttp.ClientSession, frames: list[int]) -> None:
    """Read the stream, as a browser does, and count its frames."""
    async with session.get("signals/stream") as answer:
        async for line in answer.content:
            frames[0] += line == b"event: frame\n"


async def asking(
    session: aiohttp.ClientSession, paths: Sequence[str], product: dict[str, Any], every: float
) -> None:
    """Ask for these, again and again."""
    while True:
        for path in paths:
            at = {"product": product["product_id"], "since": product["time_us"] - 900_000_000}
            async with session.get(path.format(**at)) as answer:
                await answer.read()
        await asyncio.sleep(every)


@asynccontextmanager
async def beside(*work: Any) -> AsyncIterator[None]:
    """Have this done meanwhile."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def cores(session: aiohttp.ClientSession, seconds: float) -> float:
    """CPU seconds of the monitor in each second of so many."""
    before, began = await used(session), time.monotonic()
    await asyncio.sleep(seconds)
    return (await used(session) - before) / (time.monotonic() - began)


def tell(what: str, found: float, frames: int = 0) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{what}\t{found:.3f}\t{frames}\n")
    sys.stdout.flush()


async def measure(address: str, pages: int, seconds: float) -> None:
    """Print the cores in use with nobody, with streams, with pages; and the frames that came."""
    connector, frames = aiohttp.TCPConnector(limit=0), [0]
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(address, connector=connector, timeout=timeout) as session:
        async with session.get("signals/now") as answer:
            product = json.loads(await answer.read())["states"][0]
        tell("nobody", await cores(session, seconds))
        async with beside(*(stream(session, frames) for _ in range(pages))):
            tell(f"{pages} streams", await cores(session, seconds), frames[0])
            tabs = [asking(session, OFTEN, product, OFTEN_SECONDS) for _ in range(pages)]
            tabs += [asking(session, RARELY, product, RARELY_SECONDS) for _ in range(pages)]
            async with beside(*tabs):
                tell(f"{pages} pages", await cores(session, seconds), frames[0])


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))

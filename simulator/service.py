"""The simulator as a process: settings, open, play, close."""

import asyncio
import signal
import time

from plumbing.exposition import new_registry
from plumbing.logs import get_logger
from simulator.admin import Admin
from simulator.config import SimulatorSettings
from simulator.metrics import Metrics
from simulator.server import Exchange
from simulator.source import source_of


async def run(settings: SimulatorSettings) -> None:
    """Serve until SIGTERM or SIGINT; after the end of a recording, connections are told so."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = Metrics(new_registry())
    exchange = Exchange(settings, source_of(settings, int(time.time() * 1_000_000)), metrics)
    at = (settings.host, settings.admin_port)
    admin = Admin(exchange, metrics, *at, faults=settings.faults)
    await exchange.open()
    await admin.open()
    get_logger().info(
        "simulator.listening", port=exchange.port, admin_port=admin.port, feed=exchange.run.feed
    )
    await _play_until(stop, exchange)
    await exchange.close()
    await admin.close()
    get_logger().info("simulator.stopped")


async def _play_until(stop: asyncio.Event, exchange: Exchange) -> None:
    """Play until the wish to end; an error in playing ends it at once."""
    playing = asyncio.create_task(exchange.play())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not playing.done():
        playing.cancel()
    elif playing.exception() is None:
        await stopping
    else:
        stopping.cancel()
        await exchange.close()
        await playing

"""Coinbase's WebSocket → topic ``ticks``: receive, publish, flush."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Final

from ingestor.backlog.spill import Spill
from ingestor.backlog.waiting import Backlog
from ingestor.config import Settings
from ingestor.courier import Courier
from ingestor.feed import Feed
from ingestor.intake import Intake
from ingestor.metrics import Metrics
from ingestor.recordings.recorder import RawCapture
from ingestor.subscription import TROUBLED, Subscriptions
from ingestor.topics import PACKED, TOPICS
from plumbing.backoff import Backoff
from plumbing.kafka import KafkaSettings, Outbox, Outgoing, Producer, topics_stand
from plumbing.logs import get_logger
from plumbing.probes import Answer
from plumbing.process import Process
from plumbing.stop import Stop
from plumbing.tracing.trace import UNTRACED, Tracer

TURN_SECONDS: Final = 0.1


class Undelivered(Exception):
    """Records were given up because the service had to end before Kafka took them."""


class Service:
    """Everything between the socket and Kafka, for one process.

    In an outage of Kafka a batch and ``queue_size`` frames are held, and then what ``spill`` has
    room for; beyond them the socket is not read, the exchange ends the connection, and what was
    lost by that is a Break. ``abandoned`` is what the outbox gives up by, once the end was wished
    for and draining takes too long.
    """

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        abandoned: Stop,
        metrics: Metrics,
        stop: Stop,
        *,
        capture: RawCapture | None = None,
        spill: Spill | None = None,
        beat: Callable[[], None] = lambda: None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._settings = settings
        self._outbox, self._abandoned = outbox, abandoned
        self._metrics = metrics
        self._stop = stop
        self._beat = beat
        self._clock_us = clock_us
        self._items = Backlog(settings.queue_size, spill, metrics.spill_full.inc)
        self._subscriptions = Subscriptions(settings.product_ids, settings.channel_names)
        self._intake = Intake(settings.product_ids, metrics, tracer, self._subscriptions)
        self._feed = Feed(settings, self._items, metrics, capture, clock_us, self._subscriptions)
        self._courier = Courier()
        metrics.queue_depth.set_function(self._items.qsize)
        metrics.spill_bytes.set_function(self._items.spilled)

    def ready(self) -> dict[str, bool]:
        """Return what the service needs and whether it is there."""
        return {"kafka": self._outbox.well, "running": not self._stop.requested}

    def page(self, path: str) -> Answer | None:
        """Answer ``/health``: each product's state, why, and what stands on each channel."""
        if path != "/health":
            return None
        if not self._feed.connected:
            found = {
                "connected": False,
                "reason": "not connected: nothing is known of any product",
                "feed_trouble": self._feed.trouble,
            }
            return 200, "application/json", json.dumps(found).encode()
        products = self._subscriptions.shown(self._clock_us())
        troubled = sorted(n for n, each in products.items() if each["state"] in TROUBLED)
        found = {"connected": True, "troubled": troubled, "products": products}
        return 200, "application/json", json.dumps(found).encode()

    async def run(self) -> None:
        """Work until the end is wished for; then publish what is held.

        Raises:
            Undelivered: Kafka did not take all that was held in time.
        """
        reading = asyncio.create_task(self._feed.run(), name="read")
        publishing = asyncio.create_task(self._publish(), name="publish")
        watching = asyncio.create_task(self._watch(), name="watch")
        tasks = (reading, publishing, watching)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        failed = next((t.exception() for t in tasks if t.done() and t.exception()), None)
        watching.cancel()
        await _cancel(reading)
        await self._drain(publishing)
        if failed is not None:
            raise failed

    async def _watch(self) -> None:
        while not self._stop.requested:
            self._beat()
            await asyncio.sleep(TURN_SECONDS)

    async def _publish(self) -> None:
        """Publish as soon as anything is there, in batches of what has gathered meanwhile."""
        ending = False
        while not ending:
            first = await self._items.get()
            batch = [first]
            while len(batch) < self._settings.batch_size and not self._items.empty():
                batch.append(self._items.get_nowait())
            ending = None in batch
            items = [item for item in batch if item is not None]
            records = [record for item in items for record in self._intake.records(item)]
            await self._deliver(records + self._intake.close() if ending else records)
            await self._items.settle()

    async def _deliver(self, records: list[Outgoing]) -> None:
        if not records:
            return
        await asyncio.wrap_future(self._courier.submit(lambda: self._outbox.deliver(records)))

    async def _drain(self, publishing: asyncio.Task[None]) -> None:
        if publishing.done():
            return
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._items.put(None)
                await asyncio.shield(publishing)
        except TimeoutError:
            self._abandoned.request()
            held, left = self._items.qsize(), self._items.spilled()
            await _cancel(publishing)
            raise Undelivered(
                f"{held} frames and a batch were not taken by Kafka; {left} bytes stay in the spill"
            ) from None


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


def open_service(
    settings: Settings, kafka: KafkaSettings, process: Process, opened: ExitStack
) -> Service | None:
    """Return everything between socket and Kafka; ``opened`` closes what it works on, last first.

    Waits for the broker; None where the end was wished for meanwhile.
    """
    metrics = Metrics(process.registry, settings.product_ids)
    if not topics_stand(kafka, TOPICS, wait=process.stop.wait, beat=process.beat):
        return None
    abandoned = Stop()
    outbox = Outbox(
        partial(Producer, kafka, packed=PACKED),
        abandoned.wait,
        hold_seconds=inf,
        backoff=Backoff(settings.backoff_first_seconds, settings.backoff_cap_seconds),
        failed=metrics.publish_failures.inc,
        took=metrics.publish_seconds.observe,
    )
    opened.callback(outbox.close)
    capture = _capture(settings, metrics)
    if capture is not None:
        opened.callback(capture.close)
    spill = _spill(settings)
    if spill is not None:
        opened.callback(spill.close)
    service = Service(
        settings,
        outbox,
        abandoned,
        metrics,
        process.stop,
        capture=capture,
        spill=spill,
        beat=process.beat,
        tracer=process.tracer,
    )
    process.ready, process.pages = service.ready, service.page
    if "market_trades" not in settings.channel_names:
        get_logger().warning("feed.stalls_unknown", expected="market_trades among the channels")
    get_logger().info("ingestor.started", products=settings.product_ids, url=settings.ws_url)
    return service


def _capture(settings: Settings, metrics: Metrics) -> RawCapture | None:
    if not settings.capture_dir:
        return None
    return RawCapture(
        Path(settings.capture_dir),
        written=metrics.captured.inc,
        dropped=metrics.capture_dropped.inc,
    )


def _spill(settings: Settings) -> Spill | None:
    if not settings.spill_dir:
        return None
    return Spill(Path(settings.spill_dir), settings.spill_bytes)

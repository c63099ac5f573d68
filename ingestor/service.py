"""The shell of the ingestor: open, receive, publish, close."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from ingestor.config import Settings
from ingestor.errors import Undelivered
from ingestor.feed import Feed
from ingestor.intake import Intake, Item
from ingestor.metrics import Metrics
from ingestor.publisher import Courier, Outgoing, Publisher
from ingestor.recordings.recorder import RawCapture
from ingestor.topics import TOPICS
from plumbing.backoff import Backoff
from plumbing.exposition import new_registry
from plumbing.kafka import KafkaSettings, Producer, topics_stand
from plumbing.logs import get_logger
from plumbing.probes import Probes
from plumbing.stop import Stop
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.trace import UNTRACED, Tracer
from plumbing.tracing.tracer import open_tracer

TURN_SECONDS: Final = 0.1
STALLED_SECONDS: Final = 120.0
"""Above what one attempt to make the topics may take with a broker that answers slowly."""


class Service:
    """Everything between the socket and Kafka, for one process."""

    def __init__(
        self,
        settings: Settings,
        publisher: Publisher,
        metrics: Metrics,
        stop: Stop,
        *,
        capture: RawCapture | None = None,
        beat: Callable[[], None] = lambda: None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._settings = settings
        self._publisher = publisher
        self._metrics = metrics
        self._stop = stop
        self._beat = beat
        self._clock_us = clock_us
        self._items: asyncio.Queue[Item | None] = asyncio.Queue(settings.queue_size)
        self._intake = Intake(settings.product_ids, metrics, tracer)
        self._feed = Feed(settings, self._items, metrics, capture, clock_us)
        self._courier = Courier()
        metrics.queue_depth.set_function(self._items.qsize)

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
            await self._deliver([item for item in batch if item is not None])

    async def _deliver(self, batch: list[Item]) -> None:
        records = [record for item in batch for record in self._intake.records(item)]
        if not records:
            return
        await asyncio.wrap_future(
            self._courier.submit(lambda: self._publisher.deliver(records)),
        )
        now_us = self._clock_us()
        self._delivered(records, now_us)

    def _delivered(self, records: list[Outgoing], now_us: int) -> None:
        for record in records:
            if (frame := record.frame) is not None:
                frame.span.end(now_us)
                self._metrics.published(frame.received_us, now_us, frame.span.exemplar)

    async def _drain(self, publishing: asyncio.Task[None]) -> None:
        if publishing.done():
            return
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                await self._items.put(None)
                await asyncio.shield(publishing)
        except TimeoutError:
            self._publisher.abandon()
            held = self._items.qsize()
            await _cancel(publishing)
            raise Undelivered(f"{held} frames and a batch were not taken by Kafka") from None


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


def run(settings: Settings, kafka: KafkaSettings) -> int:
    """Open everything, work until the end is wished for, close; gives the exit code."""
    try:
        with ExitStack() as opened:
            service = _open(settings, kafka, Stop().install(), opened)
            if service is not None:
                asyncio.run(service.run())
    except Exception as exc:
        get_logger().error("ingestor.failed", reason=repr(exc), exc_info=True)
        return 1
    get_logger().info("ingestor.stopped")
    return 0


def _open(
    settings: Settings, kafka: KafkaSettings, stop: Stop, opened: ExitStack
) -> Service | None:
    """Open what the service needs; it answers probes from the first moment on.

    Waits for the broker; None where the end was wished for meanwhile.
    """
    registry = new_registry()
    metrics = Metrics(registry, settings.product_ids)
    publishers: list[Publisher] = []
    probes = Probes(
        settings.host,
        settings.port,
        registry,
        lambda: _ready(publishers, stop),
        stalled_after=STALLED_SECONDS,
    )
    get_logger().info("ingestor.listening", host=settings.host, port=probes.start())
    opened.callback(probes.close)
    if not topics_stand(kafka, TOPICS, wait=stop.wait, beat=probes.beat):
        return None
    tracer = open_tracer("ingestor", TraceSettings())
    opened.callback(tracer.close)
    backoff = Backoff(settings.backoff_first_seconds, settings.backoff_cap_seconds)
    publisher = Publisher(lambda: Producer(kafka), backoff, metrics)
    opened.callback(publisher.close)
    capture = _capture(settings, metrics)
    if capture is not None:
        opened.callback(capture.close)
    service = Service(
        settings, publisher, metrics, stop, capture=capture, beat=probes.beat, tracer=tracer
    )
    publishers.append(publisher)
    get_logger().info("ingestor.started", products=settings.product_ids, url=settings.ws_url)
    return service


def _ready(publishers: list[Publisher], stop: Stop) -> dict[str, bool]:
    return {
        "started": bool(publishers),
        "kafka": all(publisher.well for publisher in publishers),
        "running": not stop.requested,
    }


def _capture(settings: Settings, metrics: Metrics) -> RawCapture | None:
    if settings.capture_dir is None:
        return None
    return RawCapture(
        Path(settings.capture_dir),
        written=metrics.captured.inc,
        dropped=metrics.capture_dropped.inc,
    )

"""Recording alone, without Kafka: the feed as it comes, into files that can be replayed."""

import asyncio
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from ingestor.backlog.waiting import Backlog
from ingestor.config import Settings
from ingestor.feed import Feed
from ingestor.intake import Intake
from ingestor.metrics import Metrics
from ingestor.recordings.recorder import RawCapture
from ingestor.subscription import Subscriptions
from plumbing.logs import get_logger
from plumbing.stop import Stop

TURN_SECONDS: Final = 0.1
TOLD_SECONDS: Final = 60.0
"""So often the log says how many frames are on the disk."""


@dataclass(slots=True)
class Counts:
    """Frames that are on the disk, and those that the recording left out."""

    written: int = 0
    dropped: int = 0

    def wrote(self) -> None:
        """Count a frame on the disk."""
        self.written += 1

    def drop(self) -> None:
        """Count a frame that was left out."""
        self.dropped += 1


def record(settings: Settings, folder: Path, stop: Stop) -> Counts:
    """Write every frame into ``folder`` until the end is wished for; all is on the disk then.

    Raises:
        OSError: the folder cannot be made.
        WebSocketException: connecting can never succeed like this (see ``gives_up``).
        SocksProxy: the environment names such a one.
    """
    counts = Counts()
    with closing(RawCapture(folder, written=counts.wrote, dropped=counts.drop)) as capture:
        asyncio.run(_record(settings, capture, stop, counts))
    get_logger().info(
        "recording.ended", folder=str(folder), written=counts.written, dropped=counts.dropped
    )
    return counts


async def _record(settings: Settings, capture: RawCapture, stop: Stop, counts: Counts) -> None:
    """Receive as the service does; what a frame would become is only looked at, to ask again."""
    metrics = Metrics(CollectorRegistry(), settings.product_ids)
    subscriptions = Subscriptions(settings.product_ids, settings.channel_names)
    items = Backlog(settings.queue_size)
    intake = Intake(settings.product_ids, metrics, subscriptions=subscriptions)
    feed = Feed(settings, items, metrics, capture, lambda: time.time_ns() // 1000, subscriptions)
    tasks = [
        asyncio.create_task(work)
        for work in (feed.run(), _follow(items, intake), _until(stop, counts))
    ]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
    for task in done:
        task.result()


async def _follow(items: Backlog, intake: Intake) -> None:
    while (item := await items.get()) is not None:
        intake.records(item)
        await items.settle()


async def _until(stop: Stop, counts: Counts) -> None:
    told = time.monotonic()
    while not stop.requested:
        await asyncio.sleep(TURN_SECONDS)
        if time.monotonic() - told >= TOLD_SECONDS:
            told = time.monotonic()
            get_logger().info("recording.goes_on", written=counts.written, dropped=counts.dropped)

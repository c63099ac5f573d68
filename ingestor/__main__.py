"""``python -m ingestor``: Coinbase's WebSocket into ``ticks``.

``topics`` only sees to topics; ``record`` and ``redrive`` write files.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final

from ingestor.commands.redrive import redrive
from ingestor.commands.session import record
from ingestor.config import Settings
from ingestor.service import open_service
from ingestor.topics import PACKED, TOPICS, VolumeTooSmall, bounds
from plumbing.kafka import (
    KafkaSettings,
    Producer,
    TopicError,
    ensure_topics,
    persist,
    require_topics,
)
from plumbing.kafka.inspection import Cluster
from plumbing.logs import configure, get_logger
from plumbing.process import Process
from plumbing.proxies import SocksProxy
from plumbing.stop import Stop

WAIT_SECONDS: Final = 300.0
STALLED_SECONDS: Final = 120.0
"""Above what one attempt to make the topics may take with a broker that answers slowly."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ingestor", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    topics = commands.add_parser("topics", help="make the topics that are missing, and end")
    topics.add_argument(
        "--wait",
        action="store_true",
        help="make none: end once all exist with a leader for each partition",
    )
    topics.add_argument(
        "--timeout",
        type=float,
        help="seconds to go on trying, also while the broker is away"
        f" (default: {WAIT_SECONDS:.0f} with --wait, else one try)",
    )
    recording = commands.add_parser("record", help="write the feed into files, without Kafka")
    recording.add_argument("folder", type=Path, help="where they go, a file a connection and hour")
    repairing = commands.add_parser(
        "redrive", help="write dead letters that are accepted now into recordings"
    )
    repairing.add_argument("folder", type=Path, help="where they go, a recording a feed")
    options = parser.parse_args(arguments)
    settings, kafka = Settings(), KafkaSettings()
    if options.command is None:
        return serve(settings, kafka)
    configure("ingestor", settings.log_level)
    if options.command == "record":
        return keep(settings, options.folder, Stop().install())
    if options.command == "redrive":
        return repair(kafka, options.folder)
    wait = Stop().install().wait
    if options.wait:
        return await_topics(
            kafka, WAIT_SECONDS if options.timeout is None else options.timeout, wait
        )
    return make_topics(kafka, options.timeout or 0.0, wait)


def serve(settings: Settings, kafka: KafkaSettings) -> int:
    """Settings → open → loop → close; return the exit code."""
    with Process("ingestor", settings, stalled_after=STALLED_SECONDS) as process:
        try:
            with ExitStack() as opened:
                service = open_service(settings, kafka, process, opened)
                if service is not None:
                    asyncio.run(service.run())
        except SocksProxy as exc:
            get_logger().error("ingestor.no_proxy", reason=str(exc))
            return 2
        except Exception as exc:
            get_logger().error("ingestor.failed", reason=repr(exc), exc_info=True)
            return 1
    return 0


def keep(settings: Settings, folder: Path, stop: Stop) -> int:
    """Record until the end is wished for; return 1 if that fails, or frames were left out."""
    try:
        counts = record(settings, folder, stop)
    except Exception as exc:
        get_logger().error("recording.failed", folder=str(folder), reason=repr(exc))
        return 1
    return 1 if counts.dropped else 0


def repair(kafka: KafkaSettings, folder: Path) -> int:
    """Redrive the letters and say how many were taken, and why others were not; 1 if it fails."""
    try:
        found = redrive(kafka, folder)
    except Exception as exc:
        get_logger().error("redrive.failed", folder=str(folder), reason=repr(exc))
        return 1
    get_logger().info(
        "redrive.ended",
        folder=str(folder),
        letters_taken=found.taken,
        frames=sum(map(len, found.frames.values())),
        letters_not_taken=dict(found.refused),
    )
    return 0


def make_topics(
    kafka: KafkaSettings,
    timeout: float = 0.0,
    wait: Callable[[float], bool] = lambda seconds: True,
) -> int:
    """Make the topics that are missing and say how each is made; 1 if that fails.

    Where ``KAFKA_DICTIONARIES`` is on, those that may be packed are marked, once for all services.
    Where the size of the volume is said, standing ones are brought to what they may keep on it.
    ``timeout``: seconds to go on trying; ``wait`` waits and says whether to give up.
    """
    if not _done(kafka, partial(_stand, kafka), timeout, wait):
        return 1
    log = get_logger()
    for topic in TOPICS:
        log.info(
            "topics.standing",
            topic=kafka.topic_prefix + topic.name,
            partitions=topic.partitions,
            retention_ms=topic.retention_ms,
            compacted=topic.compacted,
        )
    return 0


def _stand(kafka: KafkaSettings) -> None:
    ensure_topics(kafka, TOPICS)
    if kafka.dictionaries == "on":
        Producer(kafka, packed=PACKED).close()  # it marks them, for all services
        get_logger().info("topics.packed", topics=PACKED)
    if kafka.volume_bytes is None:
        return
    with closing(Cluster(kafka)) as cluster:
        try:
            altered = cluster.bound(bounds(kafka.volume_bytes, cluster.look().used))
        except (VolumeTooSmall, TopicError) as exc:  # they can be used while there is room
            get_logger().error("topics.not_bounded", reason=str(exc))
            return
        get_logger().info("topics.bounded", volume=kafka.volume, altered=altered)


def await_topics(kafka: KafkaSettings, timeout: float, wait: Callable[[float], bool]) -> int:
    """Wait until all topics exist with a leader for each partition; 1 if they never do."""
    if not _done(kafka, partial(require_topics, kafka, TOPICS), timeout, wait):
        return 1
    get_logger().info("topics.found", topics=[kafka.topic_prefix + topic.name for topic in TOPICS])
    return 0


def _done(
    kafka: KafkaSettings,
    attempt: Callable[[], None],
    timeout: float,
    wait: Callable[[float], bool],
) -> bool:
    log = get_logger()

    def failed(exc: Exception, delay: float) -> None:
        brokers = kafka.bootstrap_servers
        log.warning("topics.missing", brokers=brokers, reason=repr(exc), retry_seconds=delay)

    try:
        done = persist(attempt, wait=wait, failed=failed, timeout=timeout)
    except Exception as exc:
        log.error("topics.failed", brokers=kafka.bootstrap_servers, reason=repr(exc))
        return False
    if not done:
        log.error("topics.given_up", reason="the end was wished for")
    return done


if __name__ == "__main__":
    sys.exit(main())

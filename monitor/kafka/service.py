"""``python -m monitor kafka``: looks at the broker every few seconds and serves what it saw."""

import time
from collections.abc import Callable, Mapping

from ingestor.topics import VolumeTooSmall, bounds
from monitor.kafka.metrics import KafkaMetrics
from plumbing.backoff import BACKOFF, Backoff
from plumbing.kafka import BrokerError, TopicError, Worker, always
from plumbing.kafka.inspection import Cluster
from plumbing.logs import get_logger
from plumbing.stop import Stop


class Session:
    """One connection, by which it looks again and again."""

    def __init__(
        self, cluster: Cluster, metrics: KafkaMetrics, volume_bytes: int | None = None
    ) -> None:
        self._cluster, self._metrics, self._volume_bytes = cluster, metrics, volume_bytes
        self.ready = False

    def step(self) -> None:
        """Look once, show it, and bound the topics by the partitions that are in use now."""
        look = self._cluster.look()
        self._metrics.show(look, time.time())
        if self._volume_bytes is not None:
            self._bound(look.used, self._volume_bytes)
        self.ready = True

    def close(self) -> None:
        """Close the connection."""
        self._cluster.close()

    def _bound(self, used: Mapping[str, int], volume_bytes: int) -> None:
        """What cannot be done now is tried again at the next look, and said by a metric."""
        try:
            altered = self._cluster.bound(bounds(volume_bytes, used))
        except (VolumeTooSmall, TopicError, BrokerError) as exc:
            self._metrics.unbounded.set(1)
            get_logger().warning("topics.not_bounded", reason=str(exc))
            return
        self._metrics.unbounded.set(0)
        if altered:
            get_logger().info("topics.bounded", altered=altered)


def watch(
    open_cluster: Callable[[], Cluster],
    metrics: KafkaMetrics,
    stop: Stop,
    *,
    every_seconds: float,
    volume_bytes: int | None = None,
    beat: Callable[[], object] = lambda: None,
    backoff: Backoff = BACKOFF,
) -> Worker:
    """Return the loop of the exporter; after a failure it shows only that there was one.

    ``volume_bytes``: of each broker's volume, where the topics are ours to bound.
    """
    return Worker(
        "kafka-metrics",
        lambda: Session(open_cluster(), metrics, volume_bytes),
        stop,
        beat=beat,
        failed=lambda: metrics.show(None, time.time()),
        passing=always,
        pace=every_seconds,
        backoff=backoff,
    )

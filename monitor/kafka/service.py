"""``python -m monitor kafka``: looks at the broker every few seconds and serves what it saw."""

import time
from collections.abc import Callable

from monitor.kafka.metrics import KafkaMetrics
from plumbing.backoff import BACKOFF, Backoff
from plumbing.kafka import Worker, always
from plumbing.kafka.inspection import Cluster
from plumbing.stop import Stop


class Session:
    """One connection, by which it looks again and again."""

    def __init__(self, cluster: Cluster, metrics: KafkaMetrics) -> None:
        self._cluster, self._metrics = cluster, metrics
        self.ready = False

    def step(self) -> None:
        """Look once and show it."""
        self._metrics.show(self._cluster.look(), time.time())
        self.ready = True

    def close(self) -> None:
        """Close the connection."""
        self._cluster.close()


def watch(
    open_cluster: Callable[[], Cluster],
    metrics: KafkaMetrics,
    stop: Stop,
    *,
    every_seconds: float,
    beat: Callable[[], object] = lambda: None,
    backoff: Backoff = BACKOFF,
) -> Worker:
    """Return the loop of the exporter; after a failure it shows only that there was one."""
    return Worker(
        "kafka-metrics",
        lambda: Session(open_cluster(), metrics),
        stop,
        beat=beat,
        failed=lambda: metrics.show(None, time.time()),
        passing=always,
        pace=every_seconds,
        backoff=backoff,
    )

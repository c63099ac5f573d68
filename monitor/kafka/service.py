"""``python -m monitor kafka``: looks at the broker every few seconds and serves what it saw."""

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry

from monitor.kafka.config import KafkaMetricsSettings
from monitor.kafka.metrics import KafkaMetrics
from plumbing.kafka import KafkaSettings
from plumbing.kafka.inspection import Cluster, Look
from plumbing.logs import get_logger
from plumbing.probes import Probes
from plumbing.stop import Stop

STALLED_SECONDS: Final = 180.0
"""Longer than several calls that each wait for a broker that is away."""


class Watching:
    """Looks again and again; after a failure with a new connection."""

    def __init__(self, open_cluster: Callable[[], Cluster], metrics: KafkaMetrics) -> None:
        self._open, self._metrics = open_cluster, metrics
        self._cluster: Cluster | None = None
        self._failing = False
        self.looked = False

    def look(self) -> Look | None:
        """Look once and show it; None where the broker is away, which is logged once."""
        try:
            self._cluster = self._cluster or self._open()
            look = self._cluster.look()
        except Exception as exc:  # kafka-python's errors share no base with OSError
            if not self._failing:
                get_logger().warning("kafka.away", reason=repr(exc))
            self._failing = True
            self.close()
            self._metrics.show(None, time.time())
            return None
        if self._failing:
            get_logger().info("kafka.back", brokers=look.brokers)
        self._failing, self.looked = False, True
        self._metrics.show(look, time.time())
        return look

    @property
    def up(self) -> bool:
        """Whether the last look succeeded."""
        return self.looked and not self._failing

    def close(self) -> None:
        """Close the connection, if there is one."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()


def run(settings: KafkaMetricsSettings, kafka: KafkaSettings, registry: CollectorRegistry) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = Stop().install()
    watching = Watching(lambda: Cluster(kafka), KafkaMetrics(registry))
    probes = Probes(
        settings.host,
        settings.port,
        registry,
        lambda: {"running": not stop.requested, "kafka": watching.up},
        stalled_after=STALLED_SECONDS,
    )
    port = probes.start()
    get_logger().info("kafka_metrics.started", host=settings.host, port=port)
    while not stop.requested:
        probes.beat()
        watching.look()
        stop.wait(settings.every_seconds)
    watching.close()
    probes.close()
    get_logger().info("kafka_metrics.stopped")

"""All metrics of the Kafka exporter."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from plumbing.kafka.inspection import Look
from plumbing.metrics import Label, MetricTable, gauge

TOPIC = Label("topic")
GROUP = Label("group")


class LookMetrics(MetricTable):
    """The numbers of one look, on a registry of its own."""

    brokers = gauge("kafka_brokers", "Brokers of the cluster")
    offline = gauge("kafka_offline_partitions", "Partitions without a leader")
    under_replicated = gauge(
        "kafka_under_replicated_partitions", "Partitions with a replica that is not in sync"
    )
    partitions = gauge("kafka_topic_partitions", "Partitions of the topic", TOPIC)
    log_bytes = gauge("kafka_topic_log_bytes", "Size on disk, all replicas together", TOPIC)
    broker_bytes = gauge(
        "kafka_broker_log_bytes", "What the fullest broker's logs hold, all topics"
    )
    usable_bytes = gauge(
        "kafka_broker_usable_bytes",
        "Least that is free on a broker's file system; -1: the broker does not say",
    )
    ends = gauge("kafka_topic_end_offset", "Records ever appended", TOPIC)
    lag = gauge("kafka_consumer_group_lag", "Records not yet committed by the group", GROUP, TOPIC)
    members = gauge("kafka_consumer_group_members", "Members of the group", GROUP)

    def __init__(self, look: Look) -> None:
        super().__init__(CollectorRegistry())
        for attribute in self.table():
            made: Gauge = getattr(self, attribute)
            seen = getattr(look, attribute)
            if isinstance(seen, int):
                made.set(seen)
                continue
            for labels, value in seen.items():
                made.labels(*([labels] if isinstance(labels, str) else labels)).set(value)


class KafkaMetrics(MetricTable, Collector):
    """Shows what the last look saw; after a look that failed, only that it did.

    A collector, so that the numbers of one look appear and vanish together.
    """

    up = gauge("kafka_up", "1 where the last look at the broker succeeded, else 0")
    looked = gauge(
        "kafka_last_look_timestamp_seconds",
        "Time at which a look at the broker last succeeded; 0 before the first",
    )

    volume = gauge(
        "kafka_volume_bytes", "Size of a broker's volume as `KAFKA_VOLUME` says it; 0: unsaid"
    )
    unbounded = gauge(
        "kafka_topics_unbounded", "1 where the topics could not be bounded to the volume, else 0"
    )

    def __init__(self, registry: CollectorRegistry, volume_bytes: int | None = None) -> None:
        super().__init__(registry)
        self.volume.set(volume_bytes or 0)
        self._seen: LookMetrics | None = None
        registry.register(self)

    def show(self, look: Look | None, now: float) -> None:
        """Take a look, None where it failed; ``now`` in epoch seconds."""
        self.up.set(look is not None)
        self._seen = None if look is None else LookMetrics(look)
        if look is not None:
            self.looked.set(now)

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of the last look."""
        return () if self._seen is None else self._seen.registry.collect()

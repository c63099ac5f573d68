"""All metrics of the Kafka exporter."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from plumbing.kafka.inspection import Look


class KafkaMetrics(Collector):
    """Gives what the last look saw; after a look that failed, only that it did.

    A collector and no gauges: the numbers of one look appear and vanish together.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._look: Look | None = None
        self._looked = 0.0
        registry.register(self)

    def show(self, look: Look | None, now: float) -> None:
        """Take a look, None where it failed; ``now`` in epoch seconds."""
        self._look = look
        if look is not None:
            self._looked = now

    def describe(self) -> Iterable[Metric]:
        """Name all metrics, whether they have values now or not."""
        return [*self._always(), *_families(Look(brokers=0, offline=0, under_replicated=0))]

    def collect(self) -> Iterable[Metric]:
        """Return the metrics that are known now."""
        look = self._look
        return self._always() if look is None else [*self._always(), *_families(look)]

    def _always(self) -> list[Metric]:
        return [
            GaugeMetricFamily(
                "kafka_up",
                "1 if the last look at the broker succeeded.",
                float(self._look is not None),
            ),
            GaugeMetricFamily(
                "kafka_last_look_timestamp_seconds",
                "When a look at the broker last succeeded; 0 before the first.",
                self._looked,
            ),
        ]


def _families(look: Look) -> list[Metric]:
    lag = GaugeMetricFamily(
        "kafka_consumer_group_lag",
        "Records not yet committed by the group.",
        labels=["group", "topic"],
    )
    for (group, topic), records in look.lag.items():
        lag.add_metric([group, topic], records)
    return [
        GaugeMetricFamily("kafka_brokers", "Brokers of the cluster.", look.brokers),
        GaugeMetricFamily("kafka_offline_partitions", "Partitions without a leader.", look.offline),
        GaugeMetricFamily(
            "kafka_under_replicated_partitions",
            "Partitions with a replica that is not in sync.",
            look.under_replicated,
        ),
        _by("topic", "kafka_topic_partitions", "Partitions of the topic.", look.partitions),
        _by("topic", "kafka_topic_log_bytes", "Size on disk, all replicas.", look.log_bytes),
        _by("topic", "kafka_topic_end_offset", "Records ever appended.", look.ends),
        lag,
        _by("group", "kafka_consumer_group_members", "Members of the group.", look.members),
    ]


def _by(label: str, name: str, meaning: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family

"""``python -m featurizer``."""

from prometheus_client import CollectorRegistry

from featurizer.config import FeaturizerSettings
from featurizer.metrics import FeaturizerMetrics
from featurizer.service import Featurizer, kafka_broker
from plumbing import logs
from plumbing.kafka import KafkaSettings
from plumbing.probes import Probes
from plumbing.stop import Stop


def main() -> None:
    """Settings → open → loop → close."""
    settings, kafka = FeaturizerSettings(), KafkaSettings()
    logs.configure("featurizer", settings.log_level)
    registry, stop = CollectorRegistry(), Stop().install()
    metrics = FeaturizerMetrics(registry)
    featurizer = Featurizer(
        kafka_broker(settings, kafka),
        metrics,
        stop,
        settings.rebuild_deadline_seconds,
        beat=lambda: probes.beat(),
    )
    probes = Probes(settings.host, settings.port, registry, featurizer.ready, stalled_after=180)
    port = probes.start()
    logs.get_logger().info("service.started", port=port, brokers=kafka.bootstrap_servers)
    featurizer.run()
    probes.close()
    logs.get_logger().info("service.stopped")


if __name__ == "__main__":
    main()

"""``python -m featurizer``."""

from featurizer.broker import kafka_broker
from featurizer.config import FeaturizerSettings
from featurizer.metrics import FeaturizerMetrics
from featurizer.service import Featurizer
from plumbing import logs
from plumbing.exposition import new_registry
from plumbing.kafka import KafkaSettings
from plumbing.probes import Probes
from plumbing.stop import Stop
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.tracer import open_tracer


def main() -> None:
    """Settings → open → loop → close."""
    settings, kafka = FeaturizerSettings(), KafkaSettings()
    logs.configure("featurizer", settings.log_level)
    registry, stop = new_registry(), Stop().install()
    tracer = open_tracer("featurizer", TraceSettings())
    metrics = FeaturizerMetrics(registry)
    featurizer = Featurizer(
        kafka_broker(settings, kafka),
        metrics,
        stop,
        settings.rebuild_deadline_seconds,
        beat=lambda: probes.beat(),
        tracer=tracer,
    )
    probes = Probes(settings.host, settings.port, registry, featurizer.ready, stalled_after=180)
    port = probes.start()
    logs.get_logger().info("service.started", port=port, brokers=kafka.bootstrap_servers)
    featurizer.run()
    tracer.close()
    probes.close()
    logs.get_logger().info("service.stopped")


if __name__ == "__main__":
    main()

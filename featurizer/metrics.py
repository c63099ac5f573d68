"""All metrics of the featurizer."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingestor.stages import BOUNDS_SECONDS, PUBLISHED_TO_FEATURIZED, seconds_between

# 0.1 is the bound for tick received → prediction published; 0.8 that of the SLO.
STAGE_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1, 2, 5, 10, 60)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
REBUILD_BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120)


class FeaturizerMetrics:
    """Counts and times; products are the only open label, as many as are subscribed to."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rows = Counter(
            "featurizer_rows_total",
            "Feature rows published, one for each accepted tick.",
            ["product"],
            registry=registry,
        )
        self.late = Counter(
            "featurizer_late_total",
            "Ticks behind one that was accepted before; they change nothing.",
            ["product"],
            registry=registry,
        )
        self.repeated = Counter(
            "featurizer_repeated_total",
            "Ticks and beats that came again; they change nothing.",
            ["product"],
            registry=registry,
        )
        self.feed_changes = Counter(
            "featurizer_feed_changes_total",
            "Times that another feed cleared a product's state.",
            ["product"],
            registry=registry,
        )
        self.coverage = Gauge(
            "featurizer_coverage_ratio",
            "Share of the last 300 seconds that have a slot, at the newest row.",
            ["product"],
            registry=registry,
        )
        self.partitions = Gauge(
            "featurizer_partitions",
            "Partitions of the topic ticks that this replica has now.",
            registry=registry,
        )
        self.dead_letters = Counter(
            "featurizer_dead_letters_total",
            "Records of ticks that could not be used.",
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "featurizer_received_to_featurized_seconds",
            "From a tick's arrival at the ingestor to its feature row.",
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.stage = Histogram(
            "featurizer_stage_duration_seconds",
            "Wall clock of the featurizer's stage, by row; its budget: docs/latency.md",
            ["stage"],
            buckets=BOUNDS_SECONDS,
            registry=registry,
        )
        self._to_featurized = self.stage.labels(PUBLISHED_TO_FEATURIZED.name).observe
        self.batch_records = Histogram(
            "featurizer_batch_records",
            "Records of ticks that one poll gave.",
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        self.rebuild_seconds = Histogram(
            "featurizer_rebuild_seconds",
            "Reading back one partition until its state was rebuilt.",
            buckets=REBUILD_BUCKETS,
            registry=registry,
        )
        self.rebuild_records = Counter(
            "featurizer_rebuild_records_total",
            "Records of ticks read back to rebuild state.",
            registry=registry,
        )
        self.rebuilds_incomplete = Counter(
            "featurizer_rebuilds_incomplete_total",
            "Partitions whose reading back was cut short by its deadline.",
            registry=registry,
        )
        self.broker_failures = Counter(
            "featurizer_broker_failures_total",
            "Times that everything was opened anew after the broker failed us.",
            registry=registry,
        )

    def featurized(
        self, published_us: int, featurized_us: int, exemplar: dict[str, str] | None
    ) -> None:
        """Note how long the tick of a row stood in the topic."""
        self._to_featurized(seconds_between(published_us, featurized_us), exemplar)

    def know(self, product: str) -> None:
        """Let a product's counters stand at 0 from the start."""
        for counter in (self.rows, self.late, self.repeated, self.feed_changes):
            counter.labels(product)

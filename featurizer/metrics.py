"""All metrics of the featurizer."""

from math import nan

from prometheus_client import CollectorRegistry

from featurizer.level.level import STATUSES
from featurizer.level.run import Run
from ingestor.stages import PUBLISHED_TO_FEATURIZED, seconds_between
from plumbing.kafka import CHANGES
from plumbing.metrics import Label, MetricTable, counter, gauge, histogram

PRODUCT = Label("product")
"""The only open label: products are as many as are subscribed to."""


class FeaturizerMetrics(MetricTable):
    """Rows, what changed nothing, reading back, and times."""

    rows = counter(
        "featurizer_rows_total", "Feature rows published, one for each accepted tick", PRODUCT
    )
    late = counter(
        "featurizer_late_total", "Ticks behind one accepted before; they change nothing", PRODUCT
    )
    repeated = counter(
        "featurizer_repeated_total", "Ticks and beats that came again; they change nothing", PRODUCT
    )
    feed_changes = counter(
        "featurizer_feed_changes_total",
        "Times that another feed cleared a product's state",
        PRODUCT,
    )
    coverage = gauge(
        "featurizer_coverage_ratio",
        "Share of the last 300 seconds that have a slot, at the newest row",
        PRODUCT,
    )
    level = gauge(
        "featurizer_level_ratio",
        "Level in force, a log return over 60 s; NaN where there is none",
        PRODUCT,
    )
    level_status = gauge(
        "featurizer_level_status",
        "1 for how the level of a product is founded, else 0",
        PRODUCT,
        Label("status", STATUSES),
    )
    level_wait = gauge(
        "featurizer_level_wait_seconds",
        "Event time until a blind product has a level at the earliest, at the newest minute",
        PRODUCT,
    )
    partitions = gauge("featurizer_partitions", "Partitions of `ticks` that this replica has")
    topic_changes = counter(
        "featurizer_topic_changes_total",
        "Partitions of `ticks` that began anew, or expired before they were read",
        Label("kind", CHANGES),
    )
    dead_letters = counter("featurizer_dead_letters_total", "Records of `ticks` refused")
    stage = histogram(
        "featurizer_stage_duration_seconds",
        "Time in the featurizer's stage, by row; budget in docs/latency.md",
        Label("stage", (PUBLISHED_TO_FEATURIZED.name,)),
    )
    batch_records = histogram("featurizer_batch_records", "Records of `ticks` in a batch")
    rebuild_seconds = histogram(
        "featurizer_rebuild_seconds", "Time to read back one partition until its state was rebuilt"
    )
    rebuilds_incomplete = counter(
        "featurizer_rebuilds_incomplete_total",
        "Partitions whose reading back was cut short by its deadline",
    )
    broker_failures = counter(
        "featurizer_broker_failures_total", "Times that the work began anew as the broker failed"
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self._to_featurized = self.stage.labels(PUBLISHED_TO_FEATURIZED.name).observe

    def featurized(
        self, published_us: int, featurized_us: int, exemplar: dict[str, str] | None
    ) -> None:
        """Note how long the tick of a row stood in the topic."""
        self._to_featurized(seconds_between(published_us, featurized_us), exemplar)

    def know(self, product: str) -> None:
        """Let a product's counters stand at 0 from the start."""
        for each in (self.rows, self.late, self.repeated, self.feed_changes):
            each.labels(product)

    def levelled(self, run: Run) -> None:
        """Show the level of a product, and how long it will have none."""
        product, (tau, status) = run.product_id, (run.level.tau, run.level.status)
        self.level.labels(product).set(nan if tau is None else tau)
        for each in STATUSES:
            self.level_status.labels(product, each).set(each == status)
        self.level_wait.labels(product).set(run.wait() or 0)

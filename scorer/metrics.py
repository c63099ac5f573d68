"""All metrics of the scorer."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from adapter.control import VARIANTS
from scorer.prediction import Prediction

SECONDS: Final = (
    *(milliseconds / 1000 for milliseconds in (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100)),
    *(0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
STAGES: Final = ("featurized_to_scored", "received_to_scored")
ROWS: Final = (1, 2, 5, 10, 20, 50, 100, 250, 500, 1000)
ERRORS: Final = ("away", "bad_response")


class Metrics:
    """Counters start at 0, so that a rate is seen from the first one on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.predictions = Counter(
            "scorer_predictions_total",
            "Predictions made, by variant that served",
            ["variant"],
            registry=registry,
        )
        self.spikes = Counter(
            "scorer_spikes_total",
            "Predictions that say spike, by variant and product it was trained on",
            ["variant", "product"],
            registry=registry,
        )
        self.untrained = Counter(
            "scorer_untrained_product_total",
            "Predictions of a product without threshold",
            registry=registry,
        )
        self.foreign_dialect = Counter(
            "scorer_foreign_dialect_total",
            "Predictions for rows of another dialect than the model's",
            ["variant"],
            registry=registry,
        )
        self.shadows_missing = Counter(
            "scorer_shadows_missing_total",
            "Rows without the score of a shadow, by shadow",
            ["variant"],
            registry=registry,
        )
        self.model_errors = Counter(
            "scorer_model_errors_total",
            "Requests to the model that failed, by variant and kind",
            ["variant", "kind"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "scorer_dead_letters_total",
            "Records of `features` that could not be used",
            registry=registry,
        )
        self.undelivered = Counter(
            "scorer_undelivered_batches_total",
            "Batches that the broker did not acknowledge and that were sent again",
            registry=registry,
        )
        self.commit_failures = Counter(
            "scorer_commit_failures_total",
            "Commits that failed; the rows may be scored again, with equal ids",
            registry=registry,
        )
        self.stage = Histogram(
            "scorer_stage_duration_seconds",
            "Wall clock between the stages of a prediction",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self.inference = Histogram(
            "scorer_inference_duration_seconds",
            "Time for the scores of a batch, shadows included",
            buckets=SECONDS,
            registry=registry,
        )
        self.publishing = Histogram(
            "scorer_publish_duration_seconds",
            "Time until the broker had acknowledged a batch's predictions",
            buckets=SECONDS,
            registry=registry,
        )
        self.batch_rows = Histogram(
            "scorer_batch_rows",
            "Rows of a batch",
            buckets=ROWS,
            registry=registry,
        )
        self.serving = Gauge(
            "scorer_serving_variant",
            "1 for the variant that serves, 0 for the others",
            ["variant"],
            registry=registry,
        )
        self.held_rows = Gauge(
            "scorer_held_rows",
            "Rows of the batch that waits for the model, else 0",
            registry=registry,
        )
        self.control_followed = Gauge(
            "scorer_control_followed",
            "1 while the topic control is followed, 0 while the last variant is kept",
            registry=registry,
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for variant in VARIANTS:
            self.predictions.labels(variant)
            self.foreign_dialect.labels(variant)
            self.shadows_missing.labels(variant)
            for kind in ERRORS:
                self.model_errors.labels(variant, kind)
        for stage in STAGES:
            self.stage.labels(stage)

    def serves(self, variant: str) -> None:
        """Say which variant serves."""
        for each in VARIANTS:
            self.serving.labels(each).set(each == variant)

    def scored(self, prediction: Prediction) -> None:
        """Count a prediction."""
        variant = prediction.model_variant
        self.predictions.labels(variant).inc()
        if prediction.spike is not None:
            # A product with a threshold is one of the card's: a short, closed list.
            self.spikes.labels(variant, prediction.product_id).inc(prediction.spike)
        if "untrained_product" in prediction.flags:
            self.untrained.inc()
        if "foreign_dialect" in prediction.flags:
            self.foreign_dialect.labels(variant).inc()
        to_scored = (prediction.scored_us - prediction.featurized_us) / 1e6
        self.stage.labels("featurized_to_scored").observe(max(0.0, to_scored))
        since_tick = (prediction.scored_us - prediction.received_us) / 1e6
        self.stage.labels("received_to_scored").observe(max(0.0, since_tick))

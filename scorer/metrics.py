"""All metrics of the scorer."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingestor.stages import (
    BOUNDS_SECONDS,
    FEATURIZED_TO_SCORED,
    SCORED_TO_PUBLISHED,
    TICK_TO_PREDICTION,
    seconds_between,
)
from scorer.prediction import Prediction
from serving.control import VARIANTS

SECONDS: Final = (
    *(milliseconds / 1000 for milliseconds in (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100)),
    *(0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
RECEIVED_TO_SCORED: Final = "received_to_scored"
UNTRAINED: Final = "untrained"
"""The label of all products without threshold: those with one are a short, closed list."""
Exemplar = dict[str, str] | None
ROWS: Final = (1, 2, 5, 10, 20, 50, 100, 250, 500, 1000)
ERRORS: Final = ("away", "bad_response")


class Metrics:
    """Counters start at 0, so that a rate is seen from the first one on."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.predictions = Counter(
            "scorer_predictions_total",
            "Predictions made, by variant that served and product it was trained on",
            ["variant", "product"],
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
        self.broker_failures = Counter(
            "scorer_broker_failures_total",
            "Times that the work began anew because the broker failed",
            registry=registry,
        )
        self.partitions = Gauge(
            "scorer_partitions",
            "Partitions of the topic features that this replica has now",
            registry=registry,
        )
        self.stage = Histogram(
            "scorer_stage_duration_seconds",
            "Wall clock between the stages of a prediction; their budgets: docs/latency.md",
            ["stage"],
            buckets=BOUNDS_SECONDS,
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
        self.last_score = Gauge(
            "scorer_last_score",
            "Score of the newest row, by variant (shadows too) and product it was trained on",
            ["variant", "product"],
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
            self.predictions.labels(variant, UNTRAINED)
            self.foreign_dialect.labels(variant)
            self.shadows_missing.labels(variant)
            for kind in ERRORS:
                self.model_errors.labels(variant, kind)
        self._to_scored = self.stage.labels(FEATURIZED_TO_SCORED.name).observe
        self._since_received = self.stage.labels(RECEIVED_TO_SCORED).observe
        self._to_published = self.stage.labels(SCORED_TO_PUBLISHED.name).observe
        self._whole = self.stage.labels(TICK_TO_PREDICTION.name).observe

    def serves(self, variant: str) -> None:
        """Say which variant serves."""
        for each in VARIANTS:
            self.serving.labels(each).set(each == variant)

    def scored(self, prediction: Prediction, exemplar: Exemplar) -> None:
        """Count a prediction."""
        variant = prediction.model_variant
        self.predictions.labels(variant, _product(prediction)).inc()
        self._show(prediction)
        if prediction.spike is not None:
            self.spikes.labels(variant, prediction.product_id).inc(prediction.spike)
        if "untrained_product" in prediction.flags:
            self.untrained.inc()
        if "foreign_dialect" in prediction.flags:
            self.foreign_dialect.labels(variant).inc()
        scored_us = prediction.scored_us
        self._to_scored(seconds_between(prediction.featurized_us, scored_us), exemplar)
        self._since_received(seconds_between(prediction.received_us, scored_us), exemplar)

    def published(self, prediction: Prediction, at_us: int, exemplar: Exemplar) -> None:
        """Note that the broker has a prediction."""
        self._to_published(seconds_between(prediction.scored_us, at_us), exemplar)
        self._whole(seconds_between(prediction.received_us, at_us), exemplar)

    def _show(self, prediction: Prediction) -> None:
        product = prediction.product_id
        if prediction.threshold is not None:
            self.last_score.labels(prediction.model_variant, product).set(prediction.score)
        for shadow in prediction.shadows:
            if shadow.threshold is not None:
                self.last_score.labels(shadow.model_variant, product).set(shadow.score)


def _product(prediction: Prediction) -> str:
    return UNTRAINED if prediction.threshold is None else prediction.product_id

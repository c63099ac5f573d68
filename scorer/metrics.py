"""All metrics of the scorer."""

from typing import Final, get_args

from prometheus_client import CollectorRegistry

from ingestor.stages import (
    FEATURIZED_TO_SCORED,
    SCORED_TO_PUBLISHED,
    TICK_TO_PREDICTION,
    seconds_between,
)
from plumbing.kafka import CHANGES
from plumbing.metrics import Label, MetricTable, counter, gauge, histogram
from scorer.prediction import Prediction, Reason, Shadow
from serving.control import VARIANTS

RECEIVED_TO_SCORED: Final = "received_to_scored"
STAGES: Final = (
    FEATURIZED_TO_SCORED.name,
    RECEIVED_TO_SCORED,
    SCORED_TO_PUBLISHED.name,
    TICK_TO_PREDICTION.name,
)
UNTRAINED: Final = "untrained"
"""The label of all products without threshold: those with one are a short, closed list."""
Exemplar = dict[str, str] | None
ERRORS: Final = ("away", "bad_response")
VARIANT: Final = Label("variant", VARIANTS)
PRODUCT: Final = Label("product")


class Metrics(MetricTable):
    """Predictions, what is odd about them, failures, and times."""

    predictions = counter(
        "scorer_predictions_total",
        "Predictions made, by variant that served and product it was trained on",
        VARIANT,
        Label("product", (UNTRAINED,)),
    )
    spikes = counter(
        "scorer_spikes_total",
        "Predictions that say spike in time, by variant and product it was trained on",
        VARIANT,
        PRODUCT,
    )
    untrained = counter(
        "scorer_untrained_product_total", "Predictions of a product without threshold"
    )
    unscored = counter(
        "scorer_unscored_predictions_total",
        "Predictions that say nothing, as the product has no level or too few returns",
        Label("reason", get_args(Reason)),
    )
    foreign_dialect = counter(
        "scorer_foreign_dialect_total",
        "Predictions for rows of another dialect than the model's",
        VARIANT,
    )
    shadows_missing = counter(
        "scorer_shadows_missing_total", "Rows without the score of a shadow, by shadow", VARIANT
    )
    model_errors = counter(
        "scorer_model_errors_total",
        "Requests to the model that failed, by variant and kind",
        VARIANT,
        Label("kind", ERRORS),
    )
    dead_letters = counter(
        "scorer_dead_letters_total",
        "Records of `features` refused, or without a score by any model that answers",
    )
    undelivered = counter(
        "scorer_undelivered_batches_total",
        "Batches that the broker did not acknowledge and that were sent again",
    )
    commit_failures = counter(
        "scorer_commit_failures_total",
        "Commits that failed; the rows may be scored again, with equal ids",
    )
    broker_failures = counter(
        "scorer_broker_failures_total", "Times that the work began anew as the broker failed"
    )
    topic_changes = counter(
        "scorer_topic_changes_total",
        "Partitions of `features` that began anew, or expired before they were read",
        Label("kind", CHANGES),
    )
    partitions = gauge("scorer_partitions", "Partitions of `features` that this replica has")
    stage = histogram(
        "scorer_stage_duration_seconds",
        "Time between the stages of a prediction; budgets in docs/latency.md",
        Label("stage", STAGES),
    )
    inference = histogram(
        "scorer_inference_duration_seconds", "Time for the scores of a batch, shadows included"
    )
    publishing = histogram(
        "scorer_publish_duration_seconds",
        "Time until the broker had acknowledged a batch's predictions",
    )
    batch_rows = histogram("scorer_batch_rows", "Rows of a batch")
    last_score = gauge(
        "scorer_last_score",
        "Score of the newest row, by variant (shadows too) and product it was trained on",
        VARIANT,
        PRODUCT,
    )
    serving = gauge(
        "scorer_serving_variant", "1 for the variant that serves, else 0", Label("variant")
    )
    held_rows = gauge("scorer_held_rows", "Rows of the batch that waits for the model, else 0")
    control_followed = gauge(
        "scorer_control_followed",
        "1 while the topic `control` is followed, 0 while the last variant is kept",
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
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
        if prediction.spike is not None and not prediction.late:
            self.spikes.labels(variant, prediction.product_id).inc(prediction.spike)
        if "untrained_product" in prediction.flags:
            self.untrained.inc()
        if prediction.reason is not None:
            self.unscored.labels(prediction.reason).inc()
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
        both: list[Prediction | Shadow] = [prediction, *prediction.shadows]
        for said in both:
            known = said.threshold is not None or said.thresholds is not None
            if known and said.score is not None:
                self.last_score.labels(said.model_variant, prediction.product_id).set(said.score)


def _product(prediction: Prediction) -> str:
    return UNTRAINED if "untrained_product" in prediction.flags else prediction.product_id

"""All metrics of the drift process."""

from collections.abc import Iterable, Sequence
from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from drift.comparison import COLUMNS, STATES, Comparison, State, threshold_of
from drift.findings import Finding
from drift.models import Models

SECOND_US = 1_000_000


class DriftMetrics:
    """What is not known is NaN or has no series, never a healthy-looking 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._products: set[str] = set()
        self._running(registry)
        self._comparing(registry)
        self._about_models(registry)
        for column in COLUMNS:
            self.threshold.labels(column).set(threshold_of(column))

    def _running(self, registry: CollectorRegistry) -> None:
        self.last_run = Gauge(
            "monitor_drift_last_run_timestamp_seconds",
            "When products were last looked at successfully; 0 before the first time.",
            registry=registry,
        )
        self.failures = Counter(
            "monitor_drift_failures",
            "Runs that failed; the next one begins anew.",
            registry=registry,
        )
        self.seconds = Histogram(
            "monitor_drift_run_duration_seconds",
            "Time of a whole run.",
            buckets=(0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
            registry=registry,
        )
        self.compared = Gauge(
            "monitor_drift_products_compared",
            "Products with a verdict in the last run.",
            registry=registry,
        )
        self.state = Gauge(
            "monitor_drift_state",
            "1 for what holds of the product: compared, or why it could not be.",
            ["product", "state"],
            registry=registry,
        )

    def _comparing(self, registry: CollectorRegistry) -> None:
        self.detected = Gauge(
            "monitor_drift_detected",
            "1 where the window has drifted from the training rows; NaN where not compared.",
            ["product"],
            registry=registry,
        )
        self.share = Gauge(
            "monitor_drift_share",
            "Share of drifted columns among the comparable; NaN where not compared.",
            ["product"],
            registry=registry,
        )
        self.value = Gauge(
            "monitor_drift_value",
            "Wasserstein distance in deviations of the training rows; NaN where not compared.",
            ["product", "column"],
            registry=registry,
        )
        self.threshold = Gauge(
            "monitor_drift_threshold",
            "Distance from which on a column has drifted.",
            ["column"],
            registry=registry,
        )
        self.known = Gauge(
            "monitor_drift_known_share",
            "Share of rows that know the column; NaN where not compared.",
            ["product", "column", "side"],
            registry=registry,
        )
        self.rows = Gauge(
            "monitor_drift_rows",
            "Rows compared: of the window one a minute, of the training those kept.",
            ["product", "side"],
            registry=registry,
        )
        self.prevalence = Gauge(
            "monitor_drift_prevalence",
            "Share of spikes among labelled seconds, live in the window; NaN where unknown.",
            ["product", "kind"],
            registry=registry,
        )
        self.labelled = Gauge(
            "monitor_drift_labelled_rows",
            "Labelled seconds in the window.",
            ["product"],
            registry=registry,
        )

    def _about_models(self, registry: CollectorRegistry) -> None:
        self.model = Gauge(
            "monitor_model_info",
            "1 for a model that stands in the folder of models.",
            ["variant", "version", "dialect"],
            registry=registry,
        )
        self.trained = Gauge(
            "monitor_model_trained_timestamp_seconds",
            "Event time of the newest row the model learned from.",
            ["variant"],
            registry=registry,
        )
        self.promoted = Gauge(
            "monitor_model_promoted_timestamp_seconds",
            "When the models in place were promoted; NaN where there is no log of it.",
            registry=registry,
        )
        self.promoted.set(nan)

    def show(self, findings: Sequence[Finding], now: float) -> None:
        """Set the gauges of a run that succeeded; ``now`` in epoch seconds."""
        gone = self._products - {finding.product for finding in findings}
        for finding in [*findings, *_unknown(gone, "no_rows")]:
            self._show(finding)
        self._products |= {finding.product for finding in findings}
        self.compared.set(sum(f.comparison.state == "compared" for f in findings))
        self.last_run.set(now)

    def forget(self) -> None:
        """Say that the last verdicts are too old to hold."""
        for finding in _unknown(self._products, "stale"):
            self._show(finding)
        self.compared.set(0)

    def show_models(self, models: Models) -> None:
        """Set what is known of the models; those that are gone lose their series."""
        self.model.clear()
        self.trained.clear()
        for model in models.by_digest.values():
            info = model.info
            self.model.labels(info.variant, info.version, info.dialect).set(1)
            if model.trained_us is not None:
                self.trained.labels(info.variant).set(model.trained_us / SECOND_US)
        promoted = models.promoted_us
        self.promoted.set(nan if promoted is None else promoted / SECOND_US)

    def _show(self, finding: Finding) -> None:
        found, product = finding.comparison, finding.product
        for state in STATES:
            self.state.labels(product, state).set(state == found.state)
        self.detected.labels(product).set(_known(found.detected))
        self.share.labels(product).set(_known(found.share))
        self.rows.labels(product, "window").set(found.rows)
        self.rows.labels(product, "reference").set(found.reference_rows)
        self.labelled.labels(product).set(finding.labelled)
        self.prevalence.labels(product, "live").set(_known(finding.live_prevalence))
        self.prevalence.labels(product, "training").set(_known(finding.training_prevalence))
        self._show_columns(found)

    def _show_columns(self, found: Comparison) -> None:
        for column in COLUMNS:
            one = found.columns.get(column)
            of = (found.product, column)
            self.value.labels(*of).set(nan if one is None else _known(one.value))
            self.known.labels(*of, "window").set(nan if one is None else one.known_window)
            self.known.labels(*of, "reference").set(nan if one is None else one.known_reference)


def _unknown(products: Iterable[str], state: State) -> list[Finding]:
    return [Finding(Comparison(product, state)) for product in products]


def _known(value: float | None) -> float:
    return nan if value is None else float(value)

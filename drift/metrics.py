"""All metrics of the drift process."""

from collections.abc import Iterable, Sequence
from math import nan

from prometheus_client import CollectorRegistry

from drift.comparison import COLUMNS, STATES, Comparison, State, threshold_of
from drift.findings import Finding
from drift.inputs import NAMES, THRESHOLD
from drift.models import PromotedModels
from plumbing.metrics import Label, MetricTable, counter, gauge, number

SECOND_US = 1_000_000
PRODUCT = Label("product")
COLUMN = Label("column")
SIDE = Label("side")


class DriftMetrics(MetricTable):
    """What is not known is NaN or has no series, never a healthy-looking 0."""

    last_run = gauge(
        "monitor_drift_last_run_timestamp_seconds",
        "Time at which a run last succeeded; 0 before the first",
    )
    failures = counter("monitor_drift_failures_total", "Runs that failed; the next one begins anew")
    compared = gauge("monitor_drift_products_compared", "Products with a verdict in the last run")
    state = gauge(
        "monitor_drift_state",
        "1 for what holds of the product: compared, or why it could not be",
        PRODUCT,
        Label("state"),
    )
    detected = gauge(
        "monitor_drift_detected",
        "1 where the window has drifted from the training rows, else 0; NaN where not compared",
        PRODUCT,
    )
    share = gauge(
        "monitor_drift_share",
        "Share of drifted columns among the comparable; NaN where not compared",
        PRODUCT,
    )
    value = gauge(
        "monitor_drift_value",
        "Distance (Wasserstein) in deviations of training, or in ln of levels; NaN: not compared",
        PRODUCT,
        COLUMN,
    )
    threshold = gauge(
        "monitor_drift_threshold", "Distance from which on a column has drifted", COLUMN
    )
    known = gauge(
        "monitor_drift_known_share",
        "Share of rows that know the column; NaN where not compared",
        PRODUCT,
        COLUMN,
        SIDE,
    )
    rows = gauge(
        "monitor_drift_rows",
        "Rows compared: of the window one a minute, of the training those kept",
        PRODUCT,
        SIDE,
    )
    prevalence = gauge(
        "monitor_drift_prevalence",
        "Share of spikes, live that under an established level in the window; NaN where unknown",
        PRODUCT,
        Label("kind"),
    )
    labelled = gauge(
        "monitor_drift_labelled_rows",
        "Labelled seconds under an established level in the window",
        PRODUCT,
    )
    trained = gauge(
        "monitor_model_trained_timestamp_seconds",
        "Event time of the newest row the model learned from",
        Label("variant"),
    )
    promoted = gauge(
        "monitor_model_promoted_timestamp_seconds",
        "Time at which the models in place were promoted; NaN where no log tells",
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self._products: set[str] = set()
        self.promoted.set(nan)
        for column in COLUMNS:
            self.threshold.labels(column).set(threshold_of(column))
        for column in NAMES:
            self.threshold.labels(column).set(THRESHOLD)

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

    def show_models(self, models: PromotedModels) -> None:
        """Set what is known of the models; those that are gone lose their series."""
        self.trained.clear()
        for model in models.by_digest.values():
            if model.trained_us is not None:
                self.trained.labels(model.info.variant).set(model.trained_us / SECOND_US)
        promoted = models.promoted_us
        self.promoted.set(nan if promoted is None else promoted / SECOND_US)

    def _show(self, finding: Finding) -> None:
        found, product = finding.comparison, finding.product
        for state in STATES:
            self.state.labels(product, state).set(state == found.state)
        self.detected.labels(product).set(number(found.detected))
        self.share.labels(product).set(number(found.share))
        self.rows.labels(product, "window").set(found.rows)
        self.rows.labels(product, "reference").set(found.reference_rows)
        self.labelled.labels(product).set(finding.labelled)
        self.prevalence.labels(product, "live").set(number(finding.live_prevalence))
        self.prevalence.labels(product, "training").set(number(finding.training_prevalence))
        self._show_columns(found)

    def _show_columns(self, found: Comparison) -> None:
        for column in (*COLUMNS, *NAMES):
            one = found.columns.get(column)
            of = (found.product, column)
            self.value.labels(*of).set(nan if one is None else number(one.value))
            self.known.labels(*of, "window").set(nan if one is None else one.known_window)
            self.known.labels(*of, "reference").set(nan if one is None else one.known_reference)


def _unknown(products: Iterable[str], state: State) -> list[Finding]:
    return [Finding(Comparison(product, state)) for product in products]

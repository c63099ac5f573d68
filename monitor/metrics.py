"""All metrics of the monitor."""

from collections.abc import Iterable, Sequence
from typing import Final, get_args

from prometheus_client import CollectorRegistry

from monitor.forecast_record import Said
from monitor.outcome import Outcome
from monitor.quality import Quality
from monitor.states.display import Displayed
from plumbing.kafka import CHANGES
from plumbing.metrics import Label, MetricTable, counter, gauge, histogram, number
from signals.events import Change
from signals.records import Record
from signals.state import Mode

RESULTS: Final = ("spike", "no_spike", "break", "coverage", "no_tau", "unfinished")
PROBE_RESULTS: Final = (
    "ok",
    "client_error",
    "rate_limited",
    "server_error",
    "bad_answer",
    "timeout",
    "unreachable",
)
TOPIC: Final = Label("topic", ("ticks", "predictions"))
OF: Final = (Label("product"), Label("variant"))
BIN: Final = Label("bin")
SIGNAL: Final = (Label("product"), Label("level", ("elevated", "spike")))
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
FORECAST: Final = (*OF, Label("event"))


def result_of(outcome: Outcome) -> str:
    """Name an outcome as metrics do: its reason, or what its label says."""
    return outcome.reason or ("spike" if outcome.label else "no_spike")


class MonitorMetrics(MetricTable):
    """Joining, live quality in a window, and how the adapter serves."""

    records = counter("monitor_records_total", "Records read", TOPIC)
    bad_records = counter("monitor_bad_records_total", "Records refused", TOPIC)
    lag = gauge("monitor_lag_records", "Records not yet read", TOPIC)
    outcomes = counter(
        "monitor_outcomes_total",
        "Outcomes published, by label or the reason for none",
        Label("result", RESULTS),
    )
    pending = gauge("monitor_predictions_pending", "Predictions that wait for their label")
    maturity_lag = gauge(
        "monitor_outcome_lag_seconds",
        "Time from when an outcome could be known until it was published, worst of the last batch",
    )
    rewinds = counter("monitor_rewinds_total", "Times that ticks were read back")
    lost = counter(
        "monitor_predictions_without_ticks_total",
        "Predictions whose ticks are no longer in the topic",
    )
    topic_changes = counter(
        "monitor_topic_changes_total",
        "Partitions of `ticks` or `predictions` that began anew, or expired before they were read",
        Label("kind", CHANGES),
    )
    failures = counter("monitor_loop_failures_total", "Times that the reading loop began anew")

    rows = gauge(
        "monitor_quality_rows",
        "Labelled seconds in the window; coverage full: with all of the last 300 seconds",
        *OF,
        Label("coverage"),
    )
    alarms = gauge("monitor_quality_alarms", "Seconds predicted as a spike", *OF)
    spikes = gauge("monitor_quality_spikes", "Seconds that were a spike", *OF)
    prevalence = gauge("monitor_quality_prevalence", "Share of spikes; NaN without rows", *OF)
    precision = gauge(
        "monitor_quality_precision", "Share of alarms that were a spike; NaN without alarms", *OF
    )
    recall = gauge(
        "monitor_quality_recall", "Share of spikes that were announced; NaN without spikes", *OF
    )
    brier = gauge("monitor_quality_brier", "Mean squared error of the score; NaN without rows", *OF)
    bin_rows = gauge(
        "monitor_quality_calibration_rows",
        "Labelled seconds by bin of the score; bin is its lower edge",
        *OF,
        BIN,
    )
    bin_score = gauge(
        "monitor_quality_calibration_score", "Mean score of a bin; NaN without rows", *OF, BIN
    )
    bin_frequency = gauge(
        "monitor_quality_calibration_frequency",
        "Share of a bin's rows that were a spike; NaN without rows",
        *OF,
        BIN,
    )

    signal_state = gauge(
        "signal_state",
        "1 for the state a product is in now, else 0; blind where its data are old",
        Label("product"),
        Label("state"),
    )
    signal_acts = gauge(
        "signal_acts",
        "1 where the level is earned and the newest row not late, so that alerts act, else 0",
        Label("product"),
    )
    signal_starts = counter(
        "monitor_signal_starts_total", "Starts of elevated and spike recorded", *SIGNAL
    )
    webhook_deliveries = counter(
        "monitor_webhook_deliveries_total",
        "Messages of starts: received, given up (failed), or dropped as too many waited",
        Label("result", ("delivered", "failed", "dropped")),
    )
    forecast_rows = gauge(
        "monitor_forecast_rows", "Chances of the last 24 hours that have an outcome", *FORECAST
    )
    forecast_said = gauge(
        "monitor_forecast_said",
        "Mean of these chances: of τ (event score), or of 2τ (severe)",
        *FORECAST,
    )
    forecast_came = gauge("monitor_forecast_came", "Share of these that came", *FORECAST)
    forecast_brier = gauge("monitor_forecast_brier", "Mean squared error of these", *FORECAST)
    forecast_pr_auc = gauge(
        "monitor_forecast_pr_auc",
        "Area under precision and recall of these; chance has came; NaN where none came",
        *FORECAST,
    )

    probes = counter(
        "monitor_probe_requests_total", "Probes of the adapter", Label("result", PROBE_RESULTS)
    )
    probe_seconds = histogram(
        "monitor_probe_duration_seconds", "Time to the whole answer of a probe"
    )
    probe_success = gauge(
        "monitor_probe_last_success_timestamp_seconds",
        "Time at which a probe was last answered well; 0 before the first",
    )
    stream_clients = gauge("monitor_stream_clients", "Clients of the live stream")
    stream_dropped = counter(
        "monitor_stream_clients_dropped_total", "Clients dropped as they were too slow"
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self._shown: frozenset[str] = frozenset()
        self._states: frozenset[str] = frozenset()

    def signal(self, record: Record) -> None:
        """Count the starts that a record tells of."""
        if isinstance(record.event, Change):
            for run in record.event.started:
                level = "elevated" if run.level == 1 else "spike"
                self.signal_starts.labels(record.product_id, level).inc()

    def show_states(self, shown: Iterable[Displayed]) -> None:
        """Set the gauges of the states; a product that is gone has none."""
        now = {each.product_id: each for each in shown}
        for product in self._states - now.keys():
            self.signal_acts.remove(product)
            for state in MODES:
                self.signal_state.remove(product, state)
        self._states = frozenset(now)
        for product, each in now.items():
            self.signal_acts.labels(product).set(each.acts)
            for state in MODES:
                self.signal_state.labels(product, state).set(each.mode == state)

    def show_forecasts(self, found: Iterable[Said]) -> None:
        """Set what chances said beside what came; NaN where there are none."""
        for said in found:
            of = (said.product_id, said.variant, said.event)
            self.forecast_rows.labels(*of).set(said.figures.n)
            self.forecast_said.labels(*of).set(number(said.figures.said))
            self.forecast_came.labels(*of).set(number(said.figures.came))
            self.forecast_brier.labels(*of).set(number(said.figures.brier))
            self.forecast_pr_auc.labels(*of).set(number(said.figures.pr_auc))

    def show(self, found: Sequence[Quality]) -> None:
        """Set the quality gauges; what is not defined is NaN, never 0 or 1."""
        before, self._shown = self._shown, frozenset(quality.product_id for quality in found)
        for product in before - self._shown:
            self.take_off("product", product)
        for quality in found:
            of = (quality.product_id, quality.variant)
            self.rows.labels(*of, "any").set(quality.rows)
            self.rows.labels(*of, "full").set(quality.full_rows)
            self.alarms.labels(*of).set(quality.alarms)
            self.spikes.labels(*of).set(quality.spikes)
            self.prevalence.labels(*of).set(number(quality.prevalence))
            self.precision.labels(*of).set(number(quality.precision))
            self.recall.labels(*of).set(number(quality.recall))
            self.brier.labels(*of).set(number(quality.brier))
            for one in quality.calibration:
                of_bin = (*of, f"{one.lower:.1f}")
                self.bin_rows.labels(*of_bin).set(one.rows)
                self.bin_score.labels(*of_bin).set(number(one.mean_score))
                self.bin_frequency.labels(*of_bin).set(number(one.frequency))

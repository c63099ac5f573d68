"""All metrics of the monitor."""

from math import nan
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from monitor.outcome import Outcome
from monitor.quality import Quality

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
TOPICS: Final = ("ticks", "predictions")


def result_of(outcome: Outcome) -> str:
    """Name an outcome as metrics do: its reason, or what its label says."""
    return outcome.reason or ("spike" if outcome.label else "no_spike")


class MonitorMetrics:
    """Counters stand at 0 from the start, so that a first error is an increase."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._joining(registry)
        self._measuring(registry)
        self._serving(registry)

    def _joining(self, registry: CollectorRegistry) -> None:
        self.records = Counter("monitor_records", "Records read.", ["topic"], registry=registry)
        self.bad_records = Counter(
            "monitor_bad_records", "Records that could not be read.", ["topic"], registry=registry
        )
        self.lag = Gauge(
            "monitor_lag_records", "Records not yet read.", ["topic"], registry=registry
        )
        self.repeated = Counter(
            "monitor_predictions_repeated",
            "Predictions seen before; they change nothing.",
            registry=registry,
        )
        self.outcomes = Counter(
            "monitor_outcomes",
            "Outcomes published, by label or the reason for none.",
            ["result"],
            registry=registry,
        )
        self.pending = Gauge(
            "monitor_predictions_pending", "Predictions waiting for their label.", registry=registry
        )
        self.maturity_lag = Gauge(
            "monitor_outcome_lag_seconds",
            "Wall time from when an outcome could be known to its publishing, last batch's worst.",
            registry=registry,
        )
        self.rewinds = Counter(
            "monitor_rewinds", "Times that ticks were read back.", registry=registry
        )
        self.lost = Counter(
            "monitor_predictions_without_ticks",
            "Predictions whose ticks are no longer in the topic.",
            registry=registry,
        )
        self.failures = Counter(
            "monitor_loop_failures", "Times that the reading loop began anew.", registry=registry
        )
        for topic in TOPICS:
            self.records.labels(topic), self.bad_records.labels(topic), self.lag.labels(topic)
        for result in RESULTS:
            self.outcomes.labels(result)

    def _measuring(self, registry: CollectorRegistry) -> None:
        labels = ["product", "variant"]
        self.rows = Gauge(
            "monitor_quality_rows",
            "Labelled seconds in the window; coverage full: with all of the last 300 seconds.",
            [*labels, "coverage"],
            registry=registry,
        )
        self.alarms = Gauge(
            "monitor_quality_alarms", "Seconds predicted as a spike.", labels, registry=registry
        )
        self.spikes = Gauge(
            "monitor_quality_spikes", "Seconds that were a spike.", labels, registry=registry
        )
        self.prevalence = Gauge(
            "monitor_quality_prevalence", "Share of spikes.", labels, registry=registry
        )
        self.precision = Gauge(
            "monitor_quality_precision",
            "Share of alarms that were a spike; NaN without alarms.",
            labels,
            registry=registry,
        )
        self.recall = Gauge(
            "monitor_quality_recall",
            "Share of spikes that were announced; NaN without spikes.",
            labels,
            registry=registry,
        )
        self.brier = Gauge(
            "monitor_quality_brier", "Mean squared error of the score.", labels, registry=registry
        )

        self._calibrating(registry)

    def _calibrating(self, registry: CollectorRegistry) -> None:
        labels = ["product", "variant", "bin"]
        self.bin_rows = Gauge(
            "monitor_quality_calibration_rows",
            "Labelled seconds by bin of the score; bin is its lower edge.",
            labels,
            registry=registry,
        )
        self.bin_score = Gauge(
            "monitor_quality_calibration_score",
            "Mean score of a bin; NaN without rows.",
            labels,
            registry=registry,
        )
        self.bin_frequency = Gauge(
            "monitor_quality_calibration_frequency",
            "Share of a bin's rows that were a spike; NaN without rows.",
            labels,
            registry=registry,
        )

    def _serving(self, registry: CollectorRegistry) -> None:
        self.probes = Counter(
            "monitor_probe_requests", "Probes of the adapter.", ["result"], registry=registry
        )
        self.probe_seconds = Histogram(
            "monitor_probe_duration_seconds",
            "Time to the whole answer of a probe.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1.0, 2.5, 5.0, 10.0),
            registry=registry,
        )
        self.probe_success = Gauge(
            "monitor_probe_last_success_timestamp_seconds",
            "When a probe was last answered well; 0 before the first.",
            registry=registry,
        )
        self.stream_clients = Gauge(
            "monitor_stream_clients", "Clients of the stream.", registry=registry
        )
        self.stream_dropped = Counter(
            "monitor_stream_clients_dropped",
            "Clients dropped because they were too slow.",
            registry=registry,
        )
        for result in PROBE_RESULTS:
            self.probes.labels(result)

    def show(self, found: list[Quality]) -> None:
        """Set the quality gauges; what is not defined is NaN, never 0 or 1."""
        for quality in found:
            of = (quality.product_id, quality.variant)
            self.rows.labels(*of, "any").set(quality.rows)
            self.rows.labels(*of, "full").set(quality.full_rows)
            self.alarms.labels(*of).set(quality.alarms)
            self.spikes.labels(*of).set(quality.spikes)
            self.prevalence.labels(*of).set(_known(quality.prevalence))
            self.precision.labels(*of).set(_known(quality.precision))
            self.recall.labels(*of).set(_known(quality.recall))
            self.brier.labels(*of).set(_known(quality.brier))
            for one in quality.calibration:
                of_bin = (*of, f"{one.lower:.1f}")
                self.bin_rows.labels(*of_bin).set(one.rows)
                self.bin_score.labels(*of_bin).set(_known(one.mean_score))
                self.bin_frequency.labels(*of_bin).set(_known(one.frequency))


def _known(value: float | None) -> float:
    return nan if value is None else value

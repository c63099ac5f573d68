"""All metrics of the ingestor."""

import time
from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingestor.stages import BOUNDS_SECONDS, RECEIVED_TO_PUBLISHED, seconds_between

OTHER = "other"
DEAD_LETTER_REASONS = ("frame", "ticker", "market_trades", "heartbeats", "subscriptions", OTHER)
RECONNECT_REASONS = ("closed", "end_of_recording", "silent", "refused", "error")
FRAME_KINDS = ("ticker", "market_trades", "heartbeats", "subscriptions", "error", OTHER)
BREAK_REASONS = ("start", "reconnect", "sequence", "trade_id", "silent")


class Metrics:
    """Counters, gauges and histograms; ``products`` is the closed list of product labels.

    A product that was not asked for counts as ``other``. Ages are wall-clock seconds and
    infinite until there was something to be old.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        products: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._products = frozenset(products)
        self._last_tick: dict[str, float] = {}
        self._last_heartbeat: float | None = None
        self.ticks = Counter("ingestor_ticks_total", "Ticks made", ["product"], registry=registry)
        self.beats = Counter("ingestor_beats_total", "Beats made", ["product"], registry=registry)
        self.breaks = Counter(
            "ingestor_breaks_total", "Breaks made", ["product", "reason"], registry=registry
        )
        self.missing_trades = Counter(
            "ingestor_missing_trades_total", "Trades known lost", ["product"], registry=registry
        )
        self.frames = Counter("ingestor_frames_total", "Frames read", ["kind"], registry=registry)
        self.dead_letters = Counter(
            "ingestor_dead_letters_total", "Things refused", ["reason"], registry=registry
        )
        self.reconnects = Counter(
            "ingestor_reconnects_total",
            "Connections that ended or were refused",
            ["reason"],
            registry=registry,
        )
        self.connected = Gauge("ingestor_connected", "1 while connected", registry=registry)
        self.queue_depth = Gauge(
            "ingestor_queue_depth", "Frames between socket and Kafka", registry=registry
        )
        self.publish_seconds = Histogram(
            "ingestor_publish_seconds",
            "Batch handed over until acknowledged",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
            registry=registry,
        )
        self.held_seconds = Histogram(
            "ingestor_held_seconds",
            "Oldest frame of a batch received until acknowledged",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
            registry=registry,
        )
        self.stage = Histogram(
            "ingestor_stage_duration_seconds",
            "Wall clock of the ingestor's stage, by frame with a tick; its budget: docs/latency.md",
            ["stage"],
            buckets=BOUNDS_SECONDS,
            registry=registry,
        )
        self._to_published = self.stage.labels(RECEIVED_TO_PUBLISHED.name).observe
        self.publish_failures = Counter(
            "ingestor_publish_failures_total", "Attempts to publish that failed", registry=registry
        )
        self.captured = Counter(
            "ingestor_captured_frames_total", "Frames written raw", registry=registry
        )
        self.capture_dropped = Counter(
            "ingestor_capture_dropped_frames_total", "Frames not written raw", registry=registry
        )
        self._tick_age = Gauge(
            "ingestor_last_tick_age_seconds", "Since the last tick", ["product"], registry=registry
        )
        self._heartbeat_age = Gauge(
            "ingestor_heartbeat_age_seconds", "Since the last heartbeat", registry=registry
        )
        self._heartbeat_age.set_function(lambda: self._age(self._last_heartbeat))
        self._start()

    def product(self, product_id: str) -> str:
        """Return the label of a product."""
        return product_id if product_id in self._products else OTHER

    def tick_seen(self, product_id: str) -> None:
        """Count a Tick; its product is fresh."""
        label = self.product(product_id)
        self._last_tick[label] = self._clock()
        self.ticks.labels(label).inc()

    def published(
        self, received_us: int, published_us: int, exemplar: dict[str, str] | None
    ) -> None:
        """Note that the ticks of a frame are acknowledged."""
        self._to_published(seconds_between(received_us, published_us), exemplar)

    def heartbeat_seen(self) -> None:
        """The feed has shown life."""
        self._last_heartbeat = self._clock()

    def dead_letter(self, reason: str) -> None:
        """Count a refusal by what was refused: the word before the colon."""
        kind = reason.partition(":")[0]
        self.dead_letters.labels(kind if kind in DEAD_LETTER_REASONS else OTHER).inc()

    def _tick_age_of(self, label: str) -> float:
        return self._age(self._last_tick.get(label))

    def _age(self, then: float | None) -> float:
        return float("inf") if then is None else self._clock() - then

    def _start(self) -> None:
        """Every known series begins at 0, so that its first event is seen as an increase."""
        for product in sorted(self._products):
            self.ticks.labels(product)
            self.beats.labels(product)
            self.missing_trades.labels(product)
            self._tick_age.labels(product).set_function(partial(self._tick_age_of, product))
            for reason in BREAK_REASONS:
                self.breaks.labels(product, reason)
        for reason in DEAD_LETTER_REASONS:
            self.dead_letters.labels(reason)
        for reason in RECONNECT_REASONS:
            self.reconnects.labels(reason)
        for kind in FRAME_KINDS:
            self.frames.labels(kind)

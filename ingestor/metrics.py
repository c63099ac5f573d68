"""All metrics of the ingestor."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from prometheus_client import CollectorRegistry

from ingestor.advanced import canonical
from ingestor.stages import RECEIVED_TO_PUBLISHED, seconds_between
from ingestor.subscription import STATES
from plumbing.metrics import Label, MetricTable, counter, gauge, histogram

OTHER = "other"
DEAD_LETTER_REASONS = ("frame", "ticker", "market_trades", "heartbeats", "subscriptions", OTHER)
RECONNECT_REASONS = ("closed", "end_of_recording", "silent", "refused", "error")
FRAME_KINDS = (
    "ticker",
    "market_trades",
    "heartbeats",
    "subscriptions",
    "status",
    "error",
    OTHER,
)
BREAK_REASONS = ("start", "reconnect", "sequence", "trade_id", "silent", "stalled")
PRODUCT = Label("product")


class Metrics(MetricTable):
    """``products`` is the closed list of product labels: one not asked for counts as ``other``.

    Ages are wall-clock seconds, infinite until there was something to be old.
    """

    ticks = counter("ingestor_ticks_total", "Ticks made", PRODUCT)
    beats = counter("ingestor_beats_total", "Beats made", PRODUCT)
    breaks = counter(
        "ingestor_breaks_total", "Breaks made", PRODUCT, Label("reason", BREAK_REASONS)
    )
    missing_trades = counter("ingestor_missing_trades_total", "Trades known to be lost", PRODUCT)
    frames = counter("ingestor_frames_total", "Frames read", Label("kind", FRAME_KINDS))
    dead_letters = counter(
        "ingestor_dead_letters_total",
        "Frames and messages refused, by what was refused",
        Label("reason", DEAD_LETTER_REASONS),
    )
    reconnects = counter(
        "ingestor_reconnects_total",
        "Connections that ended or were refused",
        Label("reason", RECONNECT_REASONS),
    )
    connected = gauge("ingestor_connected", "1 while connected to the exchange, else 0")
    queue_depth = gauge("ingestor_queue_depth", "Frames that wait between socket and Kafka")
    spill_bytes = gauge("ingestor_spill_bytes", "Bytes of frames that wait in the spill for Kafka")
    spill_full = counter(
        "ingestor_spill_full_total", "Times that the socket was not read, as nothing more fits"
    )
    publish_seconds = histogram(
        "ingestor_publish_seconds", "Time from handing over a batch until it was acknowledged"
    )
    stage = histogram(
        "ingestor_stage_duration_seconds",
        "Time in the ingestor's stage, by frame with a tick; budget in docs/latency.md",
        Label("stage", (RECEIVED_TO_PUBLISHED.name,)),
    )
    publish_failures = counter("ingestor_publish_failures_total", "Attempts to publish that failed")
    captured = counter("ingestor_recorded_frames_total", "Frames written to the recording")
    capture_dropped = counter(
        "ingestor_unrecorded_frames_total", "Frames that the recording left out, as it was behind"
    )
    tick_age = gauge("ingestor_last_tick_age_seconds", "Time since the last tick", PRODUCT)
    heartbeat_age = gauge("ingestor_heartbeat_age_seconds", "Time since the last heartbeat")
    clock_skew = gauge(
        "ingestor_clock_skew_seconds",
        "Time by which the exchange's clock is ahead of this machine's",
    )
    product_state = gauge(
        "ingestor_product_state",
        "1 for the state that a product is in, else 0; none while not connected",
        PRODUCT,
        Label("state", STATES),
    )

    def __init__(
        self,
        registry: CollectorRegistry,
        products: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._products = frozenset(map(canonical, products))
        self._last_tick: dict[str, float] = {}
        self._last_heartbeat: float | None = None
        super().__init__(registry, product=sorted(self._products))
        self._to_published = self.stage.labels(RECEIVED_TO_PUBLISHED.name).observe
        self.heartbeat_age.set_function(lambda: self._age(self._last_heartbeat))
        for product in self._products:
            self.tick_age.labels(product).set_function(partial(self._tick_age_of, product))

    def product(self, product_id: str) -> str:
        """Return the label of a product."""
        name = canonical(product_id)
        return name if name in self._products else OTHER

    def show_states(self, states: Mapping[str, str]) -> None:
        """Show the state of each product; one that is not named is in none."""
        for product in self._products:
            for state in STATES:
                self.product_state.labels(product, state).set(states.get(product) == state)

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

"""What the monitor publishes: outcomes, records of states, dead letters; and what then stands."""

import time
from collections.abc import Callable
from functools import partial

from ingestor.topics import OUTCOMES, SIGNALS
from monitor import outcome as outcomes
from monitor.http.board import Board
from monitor.join import Joiner, Matured
from monitor.metrics import MonitorMetrics, result_of
from monitor.places import Places
from monitor.quality import RollingQuality
from plumbing.kafka import Outbox, Outgoing
from plumbing.kafka.outbox import ignored
from plumbing.tracing.trace import UNTRACED, Span, Tracer, headers_of
from signals import records as signals


class Publication:
    """Gathers what a batch made, and delivers it in one go.

    An outcome is on the board, in the figures and settled in ``places`` once it stands in its
    topic; ``on_told`` is told each record of a state that does.
    """

    def __init__(
        self,
        outbox: Outbox,
        board: Board,
        metrics: MonitorMetrics,
        joiner: Joiner,
        places: Places,
        quality: RollingQuality,
        on_told: Callable[[signals.Record], object] = ignored,
        wall: Callable[[], float] = time.time,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._outbox, self._board, self._metrics = outbox, board, metrics
        self._joiner, self._places, self._quality = joiner, places, quality
        self._on_told, self._wall, self._tracer = on_told, wall, tracer
        self._told, self._refused = list[signals.Record](), list[Outgoing]()

    def tell(self, records: list[signals.Record]) -> None:
        """Take records of states, to go with the next batch."""
        self._told += records

    def refuse(self, letter: Outgoing) -> None:
        """Take a dead letter, to go with the next batch."""
        self._refused.append(letter)

    def deliver(self, matured: list[Matured]) -> None:
        """Publish these outcomes and what was taken since the last time, and flush."""
        refused, self._refused = self._refused, []
        told, self._told = self._told, []
        if matured or refused or told:
            outgoing = [self._outgoing(one) for one in matured]
            self._outbox.deliver([*outgoing, *map(self._signal, told), *refused])
        if not matured:
            return
        oldest_us = min(one.possible_us for one in matured)
        self._metrics.maturity_lag.set(self._wall() - oldest_us / 1e6)

    def _outgoing(self, one: Matured) -> Outgoing:
        """Return the record of an outcome; its span begins when it could be known."""
        outcome = one.outcome
        parent = self._places.traceparent(outcome.prediction_id)
        span = self._tracer.begin("outcome", parent, kind="consumer", start_us=one.possible_us)
        span.tell("prediction_id", outcome.prediction_id)
        span.tell("result", result_of(outcome))
        return Outgoing(
            OUTCOMES.name,
            outcome.product_id,
            outcomes.encode(outcome),
            headers_of(span.traceparent),
            acknowledged=partial(self._settled, one, span),
        )

    def _signal(self, record: signals.Record) -> Outgoing:
        """Return the record of a state for its topic."""
        return Outgoing(
            SIGNALS.name,
            record.product_id,
            signals.encode(record),
            {},
            acknowledged=lambda now_us: self._stands(record),
        )

    def _stands(self, record: signals.Record) -> None:
        self._metrics.signal(record)
        self._on_told(record)

    def _settled(self, one: Matured, span: Span, now_us: int) -> None:
        span.end(now_us)
        outcome = one.outcome
        self._places.done(outcome.prediction_id)
        self._board.settle(outcome)
        self._metrics.outcomes.labels(result_of(outcome)).inc()
        feed = self._joiner.feed(outcome.product_id)
        if feed is not None:
            self._quality.begin(outcome.product_id, feed)
            self._quality.add(one.prediction, outcome)

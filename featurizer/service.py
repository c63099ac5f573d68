"""Topic ``ticks`` → topic ``features``: poll, update, publish, flush, commit."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Final

from featurizer.broker import Broker, Sink
from featurizer.decoding import RefusedError, read_event
from featurizer.features import FeatureEngine, FeatureRow, encode
from featurizer.history import Clock, DeadlineError, Rebuilt, rebuild
from featurizer.metrics import FeaturizerMetrics
from featurizer.slots import Taken
from ingestor.dead_letter import dead_letter
from ingestor.dead_letter import encode as encode_letter
from ingestor.tick import Event
from ingestor.topics import DEAD_LETTERS, FEATURES
from plumbing.backoff import BACKOFF
from plumbing.kafka import BrokerError, DeliveryError, Partition, Record, TopicError
from plumbing.logs import get_logger
from plumbing.stop import Stop
from plumbing.tracing.trace import UNTRACED, Span, Tracer, child_of

POLL_SECONDS: Final = 0.2
FAILURES: Final = (BrokerError, DeliveryError, TopicError, DeadlineError, OSError)


def wall_us() -> int:
    """Return the time now, epoch microseconds."""
    return time.time_ns() // 1_000


class Session:
    """One stretch of work with the broker; its state is that of the partitions it has."""

    def __init__(
        self,
        broker: Broker,
        sink: Sink,
        metrics: FeaturizerMetrics,
        deadline_seconds: float,
        clock: Clock = time.monotonic,
        now_us: Callable[[], int] = wall_us,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._broker, self._sink, self._metrics = broker, sink, metrics
        self._clock, self._now_us, self._tracer = clock, now_us, tracer
        self._polled_us = 0
        self._spans: list[Span] = []
        self._deadline_seconds = deadline_seconds
        self._engine = FeatureEngine()
        self._products: defaultdict[int, set[str]] = defaultdict(set)
        self.rebuilt = False
        self._consumer = broker.consumer(self._assigned, self._revoked)

    def step(self) -> None:
        """Take one batch through: when this returns, its rows are published and committed."""
        records = self._consumer.poll(POLL_SECONDS)
        self.rebuilt = self._consumer.joined
        if not records:
            return
        self._polled_us = self._now_us()
        self._metrics.batch_records.observe(len(records))
        for record in records:
            self._handle(record)
        self._sink.flush()
        self._end_spans()
        self._consumer.commit({Partition(r.topic, r.partition): r.offset + 1 for r in records})

    def _end_spans(self) -> None:
        for span in self._spans:
            span.end()
        self._spans.clear()

    def close(self) -> None:
        """Leave the group; all that was published is committed."""
        self.rebuilt = False
        self._metrics.partitions.set(0)
        self._consumer.close()

    def _assigned(self, partitions: Sequence[Partition]) -> None:
        self.rebuilt = False
        deadline = self._clock() + self._deadline_seconds
        with closing(self._broker.history()) as history:
            for partition in partitions:
                position = self._consumer.position(partition)
                done = rebuild(self._engine, history, partition, position, deadline, self._clock)
                self._products[partition.number] |= done.products
                self._tell(partition.number, position, done)
        self._metrics.partitions.inc(len(partitions))

    def _tell(self, partition: int, position: int, done: Rebuilt) -> None:
        self._metrics.rebuild_seconds.observe(done.seconds)
        if done.records:
            get_logger().info(
                "state.rebuilt",
                partition=partition,
                position=position,
                records=done.records,
                products=sorted(done.products),
                seconds=round(done.seconds, 3),
            )
        if done.shortfall:
            self._metrics.rebuilds_incomplete.inc()
            get_logger().error(
                "state.rebuild_incomplete", partition=partition, reason=done.shortfall
            )

    def _revoked(self, partitions: Sequence[Partition]) -> None:
        self._metrics.partitions.dec(len(partitions))
        for partition in partitions:
            for product in self._products.pop(partition.number, set()):
                self._engine.forget(product)

    def _handle(self, record: Record) -> None:
        try:
            event = read_event(record.value)
        except RefusedError as exc:
            self._refuse(record, str(exc))
            return
        self._meet(event, record.partition)
        taken, row = self._engine.take(event)
        if row is not None:
            self._publish(row, event.received_us, record)
        elif taken is Taken.LATE:
            self._metrics.late.labels(event.product_id).inc()
        elif taken is Taken.REPEATED:
            self._metrics.repeated.labels(event.product_id).inc()

    def _meet(self, event: Event, partition: int) -> None:
        """Know the product, and say so where another feed is about to clear its state."""
        product, feed = event.product_id, self._engine.feed_of(event.product_id)
        if feed == event.feed:
            return
        self._products[partition].add(product)
        self._metrics.know(product)
        if feed is not None:
            self._metrics.feed_changes.labels(product).inc()
            get_logger().info("feed.changed", product=product, found=event.feed, before=feed)

    def _publish(self, row: FeatureRow, received_us: int, record: Record) -> None:
        featurized_us, span = self._now_us(), self._begun(row, record)
        self._sink.send(
            FEATURES.name,
            row.product_id,
            encode(row),
            {
                "traceparent": span.traceparent,
                "received_us": str(received_us),
                "featurized_us": str(featurized_us),
            },
        )
        self._metrics.rows.labels(row.product_id).inc()
        self._metrics.coverage.labels(row.product_id).set(row.coverage)
        self._metrics.featurized(record.timestamp_ms * 1_000, featurized_us, span.exemplar)

    def _begun(self, row: FeatureRow, record: Record) -> Span:
        """Begin the span of a row; it ends when its batch is acknowledged."""
        parent = record.headers.get("traceparent")
        span = self._tracer.begin("featurize", parent, kind="consumer", start_us=self._polled_us)
        span.tell("row_id", row.row_id)
        self._spans.append(span)
        return span

    def _refuse(self, record: Record, reason: str) -> None:
        self._metrics.dead_letters.inc()
        get_logger().warning(
            "record.refused",
            partition=record.partition,
            offset=record.offset,
            reason=reason,
        )
        letter = dead_letter(
            "featurizer", reason, record.value, self._now_us(), product_id=record.key or None
        )
        self._sink.send(
            DEAD_LETTERS.name,
            record.key,
            encode_letter(letter),
            {"traceparent": child_of(record.headers.get("traceparent"))},
        )


class Featurizer:
    """Sessions one after the other until a stop is wished for: the broker may come and go."""

    def __init__(
        self,
        broker: Broker,
        metrics: FeaturizerMetrics,
        stop: Stop,
        deadline_seconds: float,
        beat: Callable[[], None] = lambda: None,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._tracer = tracer
        self._broker, self._metrics, self._stop, self._beat = broker, metrics, stop, beat
        self._deadline_seconds = deadline_seconds
        self._session: Session | None = None

    def ready(self) -> Mapping[str, bool]:
        """Say what is there; a replica without a partition has all it needs."""
        session = self._session
        return {
            "broker": session is not None,
            "state": session is not None and session.rebuilt,
            "running": not self._stop.requested,
        }

    def run(self) -> None:
        """Work until the stop; after a failure of the broker, begin anew from what is committed."""
        for delay in BACKOFF:
            try:
                self._work()
                return
            except FAILURES as exc:
                self._metrics.broker_failures.inc()
                get_logger().error("broker.failed", reason=repr(exc), retry_seconds=delay)
            self._beat()
            if self._stop.wait(delay):
                return

    def _opened(self, sink: Sink) -> Session:
        deadline = self._deadline_seconds
        return Session(self._broker, sink, self._metrics, deadline, tracer=self._tracer)

    def _work(self) -> None:
        with (
            closing(self._broker.sink()) as sink,
            closing(self._opened(sink)) as session,
        ):
            self._session = session
            try:
                while not self._stop.requested:
                    session.step()
                    self._beat()
            finally:
                self._session = None

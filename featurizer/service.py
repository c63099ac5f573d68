"""Topic ``ticks`` → ``features``, ``minutes``, ``levels``: poll, update, publish, flush, commit."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Final

import msgspec

from featurizer.config import Settings
from featurizer.engine import FeatureEngine
from featurizer.history import Clock, History, KafkaHistory, Rebuilt, rebuild
from featurizer.level.board import Board
from featurizer.level.levels import Levels
from featurizer.level.records import Closed, Minute
from featurizer.level.records import encode as encode_closed
from featurizer.level.seeds import Seeds, read_seeds
from featurizer.metrics import FeaturizerMetrics
from featurizer.row import FeatureRow, encode
from featurizer.slots import Taken
from ingestor.refusal import refusal
from ingestor.tick import Event, decode
from ingestor.topics import DEAD_LETTERS, DICTIONARIES, FEATURES, LEVELS, MINUTES, PACKED, TICKS
from plumbing.kafka import (
    COMMIT_SECONDS,
    GroupConsumer,
    KafkaSettings,
    Moved,
    Outbox,
    Outgoing,
    Partition,
    Producer,
    Record,
    Worker,
    ensure_topics,
    message_of,
    trouble_of,
)
from plumbing.logs import get_logger
from plumbing.process import Process
from plumbing.tracing.trace import UNTRACED, Span, Tracer, headers_of

POLL_SECONDS: Final = 0.2
LINGER_MS: Final = 20  # a batch goes out at its flush; only one that takes longer goes in parts


def wall_us() -> int:
    """Return the time now, epoch microseconds."""
    return time.time_ns() // 1_000


class Session:
    """One stretch of work with the broker; its state is that of the partitions it has.

    ``join`` makes a member of the group, which tells of partitions that come and go.
    """

    def __init__(
        self,
        join: Callable[[Moved, Moved], GroupConsumer],
        open_history: Callable[[], History],
        outbox: Outbox,
        metrics: FeaturizerMetrics,
        deadline_seconds: float,
        clock: Clock = time.monotonic,
        now_us: Callable[[], int] = wall_us,
        tracer: Tracer = UNTRACED,
        seeds: Seeds | None = None,
        board: Board | None = None,
    ) -> None:
        self._open_history, self._outbox, self._metrics = open_history, outbox, metrics
        self._clock, self._now_us, self._tracer = clock, now_us, tracer
        self._polled_us = 0
        self._deadline_seconds = deadline_seconds
        self._closed: list[Closed] = []
        self._board = board or Board()
        self._engine = FeatureEngine(Levels(seeds), self._closed.append)
        self._products: defaultdict[int, set[str]] = defaultdict(set)
        self.ready = False
        self._consumer = join(self._assigned, self._revoked)

    def step(self) -> None:
        """Take one batch through: when this returns, its rows are published and it is settled."""
        records = self._consumer.poll(POLL_SECONDS)
        self.ready = self._consumer.joined
        if not records:
            return
        self._polled_us = self._now_us()
        self._metrics.batch_records.observe(len(records))
        self._outbox.deliver([sent for record in records for sent in self._handled(record)])
        self._consumer.commit()

    def close(self) -> None:
        """Leave the group; all that was published is committed."""
        self.ready = False
        self._metrics.partitions.set(0)
        self._board.clear()
        self._consumer.close()

    def _assigned(self, partitions: Sequence[Partition]) -> None:
        self.ready = False
        deadline = self._clock() + self._deadline_seconds
        with closing(self._open_history()) as history:
            for partition in partitions:
                position = self._consumer.position(partition)
                done = rebuild(self._engine, history, partition, position, deadline, self._clock)
                self._products[partition.number] |= done.products
                for product in done.products:
                    self._show(product)
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
                self._board.take_off(product)
                self._metrics.take_off("product", product)

    def _handled(self, record: Record) -> Iterator[Outgoing]:
        """Give what a record brings: a dead letter, or what it closes and a row."""
        try:
            event = message_of(record, decode)
        except msgspec.DecodeError as exc:
            self._metrics.dead_letters.inc()
            reason = f"expected a tick, beat or break: {exc}"
            yield refusal("featurizer", record, reason, self._now_us())
            return
        begins = self._meet(event, record.partition)
        taken, row = self._engine.take(event)
        if begins or self._closed:
            self._show(event.product_id)
            yield from self._stretches(record)
        if row is not None:
            yield self._row(row, event.received_us, record)
        elif taken is Taken.LATE:
            self._metrics.late.labels(event.product_id).inc()
        elif taken is Taken.REPEATED:
            self._metrics.repeated.labels(event.product_id).inc()

    def _stretches(self, record: Record) -> Iterator[Outgoing]:
        """Give the minutes, bins and days that a record closes, in its trace."""
        headers = headers_of(record.headers.get("traceparent"))
        for closed in self._closed:
            topic = MINUTES if isinstance(closed, Minute) else LEVELS
            yield Outgoing(topic.name, closed.product_id, encode_closed(closed), headers)
        self._closed.clear()

    def _show(self, product: str) -> None:
        """Let gauges and page say what level a product has."""
        run = self._engine.levels.of(product)
        if run is not None:
            self._metrics.levelled(run)
            self._board.show(run)

    def _meet(self, event: Event, partition: int) -> bool:
        """Say whether a run begins; know its product, and tell of a feed that is cleared."""
        product, feed = event.product_id, self._engine.feed_of(event.product_id)
        if feed == event.feed:
            return False
        self._products[partition].add(product)
        self._metrics.know(product)
        if feed is not None:
            self._metrics.feed_changes.labels(product).inc()
            get_logger().info("feed.changed", product=product, found=event.feed, before=feed)
        return True

    def _row(self, row: FeatureRow, received_us: int, record: Record) -> Outgoing:
        featurized_us, span = self._now_us(), self._begun(row, record)
        headers = {
            **headers_of(span.traceparent),
            "received_us": str(received_us),
            "featurized_us": str(featurized_us),
        }
        self._metrics.rows.labels(row.product_id).inc()
        self._metrics.coverage.labels(row.product_id).set(row.coverage)
        self._metrics.featurized(record.timestamp_ms * 1_000, featurized_us, span.exemplar)
        return Outgoing(FEATURES.name, row.product_id, encode(row), headers, acknowledged=span.end)

    def _begun(self, row: FeatureRow, record: Record) -> Span:
        """Begin the span of a row; it ends when the row is acknowledged."""
        parent = record.headers.get("traceparent")
        span = self._tracer.begin("featurize", parent, kind="consumer", start_us=self._polled_us)
        span.tell("row_id", row.row_id)
        return span


def open_worker(settings: Settings, kafka: KafkaSettings, process: Process) -> Worker:
    """Return the loop of the featurizer, with what it works on."""
    metrics, board = FeaturizerMetrics(process.registry), Board()
    outbox = Outbox(
        partial(Producer, kafka, linger_ms=LINGER_MS, packed=PACKED),
        process.stop.wait,
        beat=process.beat,
    )

    def join(assigned: Moved, revoked: Moved) -> GroupConsumer:
        ensure_topics(kafka, (TICKS, FEATURES, MINUTES, LEVELS, DEAD_LETTERS, DICTIONARIES))
        return GroupConsumer(
            kafka,
            [TICKS.name],
            settings.group,
            on_assigned=assigned,
            on_revoked=revoked,
            changed=lambda kind: metrics.topic_changes.labels(kind).inc(),
            fetch_max_wait_ms=settings.fetch_max_wait_ms,
            commit_seconds=COMMIT_SECONDS,
        )

    worker = Worker(
        "featurizer",
        lambda: Session(
            join,
            lambda: KafkaHistory(kafka),
            outbox,
            metrics,
            settings.rebuild_deadline_seconds,
            tracer=process.tracer,
            seeds=read_seeds(settings.seeds),
            board=board,
        ),
        process.stop,
        outbox=outbox,
        beat=process.beat,
        failed=metrics.broker_failures.inc,
        explain=partial(trouble_of, kafka),
    )
    process.ready, process.pages = worker.ready, board.page
    return worker

"""Topic ``features`` → model → topic ``predictions``: poll, ask, publish, flush, commit."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

import msgspec

from featurizer.row import decode
from ingestor.refusal import refusal
from ingestor.topics import CONTROL, DEAD_LETTERS, DICTIONARIES, FEATURES, PACKED, PREDICTIONS
from plumbing.backoff import Backoff
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
from plumbing.process import Process
from plumbing.stop import Stop
from plumbing.tracing.trace import UNTRACED, Span, Tracer, headers_of
from scorer.batches import Answered, BatchScorer, Held
from scorer.config import Settings
from scorer.metrics import Metrics
from scorer.prediction import Prediction, encode
from scorer.shadow_client import ShadowClient
from scorer.variants import Arrived, UnknownFeatures, stage_times, values_of
from serving.client import V2Client
from serving.control import Serving
from serving.follower import Follower, open_control

POLL_SECONDS: Final = 0.2
"""Longest wait for records; they are given out at once when they come."""


class Session:
    """One stretch of work with the broker; nothing is lost while it or the model is away.

    After a failure of Kafka the rows that were not committed are read, scored and published
    again, with equal ids. ``join`` makes a member of the group, which tells of partitions that
    come and go; ``retry`` says how long to wait for the model; ``now_us`` gives the wall clock
    in epoch microseconds; ``beat`` is called whenever the loop is alive.
    """

    def __init__(
        self,
        settings: Settings,
        join: Callable[[Moved, Moved], GroupConsumer],
        outbox: Outbox,
        models: ShadowClient,
        metrics: Metrics,
        stop: Stop,
        *,
        beat: Callable[[], object] = lambda: None,
        retry: Backoff | None = None,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._settings, self._metrics, self._stop = settings, metrics, stop
        self._outbox, self._models = outbox, models
        self._beat, self._now_us, self._tracer = beat, now_us, tracer
        self._scorer = BatchScorer(
            models,
            settings.max_rows,
            retry or Backoff(settings.retry_first_seconds, settings.retry_longest_seconds),
            stop,
            stay=self._stay,
            holding=metrics.held_rows.set,
            now_us=now_us,
        )
        self.ready = False
        self._products: defaultdict[int, set[str]] = defaultdict(set)
        self._consumer = join(lambda came: metrics.partitions.inc(len(came)), self._revoked)

    def step(self) -> None:
        """Score what has come: when this returns, it is published and settled."""
        records = self._consumer.poll(POLL_SECONDS)
        self.ready = self._consumer.joined
        if not records:
            self._models.probe()
            return
        held, outgoing = self._read(records)
        while held:
            answered = self._scorer.first(held)
            if answered is None:  # the end came first: uncommitted, the rows are read again
                return
            outgoing += self._outcome(held, answered)
            held = held[answered.rows :]
            if held:
                self._stay()
        self._outbox.deliver(outgoing)
        if not self._consumer.commit():
            self._metrics.commit_failures.inc()

    def close(self) -> None:
        """Leave the group; all that was published is committed, or will be read again."""
        self.ready = False
        self._metrics.partitions.set(0)
        self._consumer.close()

    def _revoked(self, partitions: Sequence[Partition]) -> None:
        self._metrics.partitions.dec(len(partitions))
        for partition in partitions:
            for product in self._products.pop(partition.number, set()):
                self._metrics.take_off("product", product)

    def _read(self, records: Sequence[Record]) -> tuple[list[Held], list[Outgoing]]:
        held, refused, polled_us = [], [], self._now_us()
        for record in records:
            try:
                held.append(self._held(record, polled_us))
            except (msgspec.DecodeError, UnknownFeatures) as exc:
                refused.append(self._refused(record, str(exc)))
        return held, refused

    def _refused(self, record: Record, reason: str) -> Outgoing:
        self._metrics.dead_letters.inc()
        where = f"{record.topic}[{record.partition}]@{record.offset}"
        return refusal("scorer", record, f"{where}: {reason}", self._now_us())

    def _held(self, record: Record, polled_us: int) -> Held:
        row = message_of(record, decode)
        arrived = Arrived(row, *stage_times(record.headers, record.timestamp_ms))
        values = values_of(row)
        self._products[record.partition].add(row.product_id)
        parent = record.headers.get("traceparent")
        span = self._tracer.begin("score", parent, kind="consumer", start_us=polled_us)
        return Held(record, arrived, values, span)

    def _stay(self) -> None:
        """Be alive for the liveness probe, and a member of the group, between two batches."""
        self._beat()
        self._consumer.stay()

    def _outcome(self, held: Sequence[Held], answered: Answered) -> list[Outgoing]:
        if (refused := answered.refused) is not None:
            return [self._refused(refused.held.record, f"no score: {refused.reason}")]
        spans = [each.span for each in held]
        return [self._made(*each) for each in zip(answered.predictions, spans, strict=False)]

    def _made(self, prediction: Prediction, span: Span) -> Outgoing:
        """End the scoring of a row and begin its publishing."""
        self._metrics.scored(prediction, span.exemplar)
        span.tell("prediction_id", prediction.prediction_id)
        span.tell("model_variant", prediction.model_variant)
        span.end(prediction.scored_us)
        start_us = prediction.scored_us
        publishing = self._tracer.begin(
            "publish", span.traceparent, kind="producer", start_us=start_us
        )
        return Outgoing(
            PREDICTIONS.name,
            prediction.product_id,
            encode(prediction),
            headers_of(publishing.traceparent),
            acknowledged=partial(self._published, prediction, publishing),
        )

    def _published(self, prediction: Prediction, span: Span, now_us: int) -> None:
        span.end(now_us)
        self._metrics.published(prediction, now_us, span.exemplar)


def open_worker(
    settings: Settings, kafka: KafkaSettings, process: Process, opened: ExitStack
) -> Worker:
    """Return the loop of the scorer; ``opened`` closes what it works on, last first."""
    metrics, serving = Metrics(process.registry), Serving(settings.variant)
    if settings.follow_control:
        follower = Follower(serving, partial(open_control, kafka)).start()
        opened.callback(follower.stop)
        metrics.control_followed.set_function(lambda: follower.connected)
    runner = opened.enter_context(asyncio.Runner())
    client = V2Client(settings.model_url, tracer=process.tracer)
    runner.run(client.__aenter__())
    opened.callback(lambda: runner.run(client.__aexit__(None, None, None)))
    models = ShadowClient(settings, client, serving, metrics, runner.run)
    outbox = Outbox(
        partial(Producer, kafka, packed=PACKED),
        process.stop.wait,
        failed=metrics.undelivered.inc,
        took=metrics.publishing.observe,
        beat=process.beat,
    )

    def join(came: Moved, went: Moved) -> GroupConsumer:
        ensure_topics(kafka, (FEATURES, PREDICTIONS, DEAD_LETTERS, CONTROL, DICTIONARIES))
        return GroupConsumer(
            kafka,
            [FEATURES.name],
            settings.group,
            on_assigned=came,
            on_revoked=went,
            changed=lambda kind: metrics.topic_changes.labels(kind).inc(),
            commit_seconds=COMMIT_SECONDS,
        )

    def open_session() -> Session:
        stop, beat, tracer = process.stop, process.beat, process.tracer
        return Session(settings, join, outbox, models, metrics, stop, beat=beat, tracer=tracer)

    worker = Worker(
        "scorer",
        open_session,
        process.stop,
        outbox=outbox,
        beat=process.beat,
        failed=metrics.broker_failures.inc,
        explain=partial(trouble_of, kafka),
    )
    process.ready = lambda: {**worker.ready(), "model": models.answers}
    return worker

"""The shell of the scorer: poll, ask the model, publish, flush, commit."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from featurizer.features import decode
from ingestor.dead_letter import REASON_LIMIT, dead_letter
from ingestor.dead_letter import encode as encode_letter
from ingestor.topics import DEAD_LETTERS, PREDICTIONS
from plumbing.backoff import BACKOFF, Backoff
from plumbing.kafka import BrokerError, DeliveryError, Partition, Record, TopicError
from plumbing.logs import get_logger
from plumbing.tracing.trace import UNTRACED, Span, Tracer, child_of
from scorer.config import ScorerSettings
from scorer.delivery import Delivery, Letter
from scorer.metrics import Metrics
from scorer.prediction import Prediction, encode
from scorer.shadow_client import ShadowClient
from scorer.variants import Arrived, UnknownFeatures, predictions_of, stage_times, values_of
from serving.v2 import ModelError

POLL_SECONDS: Final = 0.2
"""Longest wait for records; they are given out at once when they come."""
FAILURES: Final = (BrokerError, DeliveryError, TopicError, OSError)
"""After these the work begins anew from what is committed, with clients of its own."""

Moved = Callable[[Sequence[Partition]], None]


class Consumer(Protocol):
    """What is needed of ``plumbing.kafka.GroupConsumer``."""

    def poll(self, timeout: float) -> list[Record]: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


OpenConsumer = Callable[[Moved, Moved], Consumer]
"""Joins the group; is told whom to tell of partitions that came and of those that went."""


class Stopping(Protocol):
    """What is needed of ``plumbing.stop.Stop``."""

    @property
    def requested(self) -> bool: ...
    def wait(self, timeout: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A row that is to be scored, its values in the order of ``NAMES``, and its span."""

    arrived: Arrived
    values: tuple[float | None, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Made:
    """A prediction on its way out, with the span of its publishing."""

    prediction: Prediction
    span: Span

    def letter(self) -> Letter:
        """Return the record that carries it."""
        headers = {"traceparent": self.span.traceparent}
        value = encode(self.prediction)
        return Letter(PREDICTIONS.name, self.prediction.product_id, value, headers)


class Scorer:
    """Takes rows to the model and predictions to Kafka; nothing is lost while either is away.

    After a failure of Kafka the rows that were not committed are read, scored and published
    again, with equal ids.

    ``now_us`` gives the wall clock in epoch microseconds; ``beat`` is called whenever the
    loop is alive.
    """

    def __init__(
        self,
        settings: ScorerSettings,
        open_consumer: OpenConsumer,
        delivery: Delivery,
        models: ShadowClient,
        metrics: Metrics,
        stop: Stopping,
        *,
        beat: Callable[[], None] = lambda: None,
        retry: Backoff | None = None,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._settings, self._metrics, self._stop = settings, metrics, stop
        self._open, self._delivery, self._models = open_consumer, delivery, models
        self._beat, self._now_us, self._tracer = beat, now_us, tracer
        self._retry = retry or Backoff(settings.retry_first_seconds, settings.retry_longest_seconds)
        self._consumer: Consumer | None = None
        self._connected = False
        self._delays = iter(BACKOFF)

    def ready(self) -> dict[str, bool]:
        """Say what the service needs and whether it has it; a partition is not needed."""
        return {
            "kafka": self._connected,
            "model": self._models.answers,
            "running": not self._stop.requested,
        }

    def run(self) -> None:
        """Score until the end is wished for."""
        while not self._stop.requested:
            try:
                self.step()
                self._delays = iter(BACKOFF)
            except FAILURES as exc:
                self._begin_anew(exc)

    def close(self) -> None:
        """Leave the group; all that was published is committed, or will be read again."""
        consumer, self._consumer = self._consumer, None
        self._connected = False
        self._metrics.partitions.set(0)
        if consumer is not None:
            with contextlib.suppress(*FAILURES):
                consumer.close()

    def _begin_anew(self, exc: Exception) -> None:
        """Let go of the consumer: it may have moved on beyond rows that were not published."""
        self.close()
        delay = next(self._delays)
        self._metrics.broker_failures.inc()
        get_logger().error("broker.failed", reason=repr(exc), retry_seconds=round(delay, 3))
        self._beat()
        self._stop.wait(delay)

    def _joined(self) -> Consumer:
        self._consumer = self._consumer or self._open(
            lambda came: self._metrics.partitions.inc(len(came)),
            lambda went: self._metrics.partitions.dec(len(went)),
        )
        return self._consumer

    def step(self) -> None:
        """Score what has come: publish, flush, then commit."""
        consumer = self._joined()
        records = consumer.poll(POLL_SECONDS)
        self._connected = True
        self._beat()
        if not records:
            self._models.probe()
            return
        held, outgoing = self._read(records)
        made: list[Made] = []
        for batch in _batches(held, self._settings.max_rows):
            found = self._scored(batch)
            if found is None:  # the end came first: uncommitted, the rows are read again
                return
            made += found
        self._delivery.deliver([*outgoing, *(each.letter() for each in made)])
        self._published(made)
        self._commit(consumer)

    def _published(self, made: Sequence[Made]) -> None:
        now_us = self._now_us()
        for each in made:
            each.span.end(now_us)
            self._metrics.published(each.prediction, now_us, each.span.exemplar)

    def _commit(self, consumer: Consumer) -> None:
        """Commit; where that fails nothing is lost, and the next commit covers it."""
        try:
            consumer.commit()
        except Exception as exc:  # whatever the client raises with the broker away
            self._metrics.commit_failures.inc()
            get_logger().warning("features.commit_failed", reason=repr(exc))

    def _read(self, records: Sequence[Record]) -> tuple[list[Held], list[Letter]]:
        held, refused, polled_us = [], [], self._now_us()
        for record in records:
            try:
                held.append(self._held(record, polled_us))
            except (msgspec.DecodeError, UnicodeDecodeError, UnknownFeatures) as exc:
                refused.append(self._refused(record, exc))
        return held, refused

    def _refused(self, record: Record, exc: Exception) -> Letter:
        where = f"{record.topic}[{record.partition}]@{record.offset}"
        get_logger().warning("features.refused", record=where, reason=str(exc)[:REASON_LIMIT])
        self._metrics.dead_letters.inc()
        reason = f"{where}: {exc}"
        letter = dead_letter(
            "scorer", reason, record.value, self._now_us(), product_id=record.key or None
        )
        headers = {"traceparent": child_of(record.headers.get("traceparent"))}
        return Letter(DEAD_LETTERS.name, record.key, encode_letter(letter), headers)

    def _held(self, record: Record, polled_us: int) -> Held:
        row = decode(record.value)
        arrived = Arrived(row, *stage_times(record.headers, record.timestamp_ms))
        values = values_of(row)
        parent = record.headers.get("traceparent")
        span = self._tracer.begin("score", parent, kind="consumer", start_us=polled_us)
        return Held(arrived, values, span)

    def _scored(self, batch: Sequence[Held]) -> list[Made] | None:
        """Score a batch; held and tried again while the model is away, None at the end."""
        for delay in self._retry:
            if self._stop.requested:
                break
            try:
                made = self._predicted(batch)
                self._metrics.held_rows.set(0)
                return made
            except ModelError as exc:
                self._metrics.held_rows.set(len(batch))
                get_logger().warning(
                    "batch.held", rows=len(batch), delay_seconds=delay, reason=str(exc)
                )
            self._beat()
            self._stop.wait(delay)
        return None

    def _predicted(self, batch: Sequence[Held]) -> list[Made]:
        values, spans = [held.values for held in batch], [held.span for held in batch]
        served, shadows = self._models.ask(values, spans)
        found = predictions_of([held.arrived for held in batch], served, shadows, self._now_us())
        return [self._made(*each) for each in zip(found, spans, strict=True)]

    def _made(self, prediction: Prediction, span: Span) -> Made:
        """End the scoring of a row and begin its publishing."""
        self._metrics.scored(prediction, span.exemplar)
        span.tell("prediction_id", prediction.prediction_id)
        span.tell("model_variant", prediction.model_variant)
        span.end(prediction.scored_us)
        start_us = prediction.scored_us
        publishing = self._tracer.begin(
            "publish", span.traceparent, kind="producer", start_us=start_us
        )
        return Made(prediction, publishing)


def _batches(held: Sequence[Held], most: int) -> Iterator[Sequence[Held]]:
    for start in range(0, len(held), most):
        yield held[start : start + most]

"""Finds in the topics what belongs to one prediction, and recomputes its row and its outcome."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from featurizer import row as rows
from featurizer.engine import FeatureEngine
from featurizer.history import rebuild
from featurizer.level.levels import Levels
from featurizer.level.run import Run
from featurizer.level.seeds import Seeds
from featurizer.row import FeatureRow, key_of
from featurizer.span import Span
from ingestor.tick import Beat, Event, Tick
from ingestor.topics import FEATURES, LEVELS, MINUTES, OUTCOMES, PREDICTIONS, SIGNALS, TICKS
from monitor import outcome as outcomes
from monitor.explain.course import Course
from monitor.explain.course_lookup import CourseLookup
from monitor.join import Joiner
from monitor.outcome import Outcome
from monitor.reading import (
    CHUNK,
    CLOCKS_US,
    PAST_MS,
    LogReader,
    backwards,
    events_of,
    first_since,
    of_topic,
    read,
    start_for,
)
from plumbing.kafka import Partition, PassedOver, Record
from scorer import prediction as predictions
from scorer.prediction import Prediction

TOPICS: Final = tuple(
    topic.name for topic in (TICKS, MINUTES, LEVELS, FEATURES, PREDICTIONS, SIGNALS, OUTCOMES)
)
REBUILD_SECONDS: Final = 300.0


@dataclass(slots=True)
class AsOf:
    """The history as the featurizer had it: what closed later is not looked at.

    ``expired`` names topics that were read to their beginning, before which there was more.
    """

    reader: LogReader
    until_ms: int
    expired: set[str] = field(default_factory=set)

    def beginning(self, partition: Partition) -> int:
        """Return the first offset still kept."""
        return self.reader.beginnings().get(partition, 0)

    def end(self, partition: Partition) -> int:
        """Return the offset behind what was published by then."""
        end = self.reader.ends().get(partition, 0)
        return first_since(self.reader, partition, self.beginning(partition), end, self.until_ms)

    def read(self, partition: Partition, span: Span, deadline: float) -> Sequence[Record]:
        """Return the records of a span in order."""
        if 0 < span.first == self.beginning(partition):
            self.expired.add(partition.topic)
        return read(self.reader, partition, span.first, span.end)

    def close(self) -> None:
        """The reader is its opener's."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A row made again, the run that its level is of, the events up to it; ``doubt`` if any."""

    row: FeatureRow | None = None
    run: Run | None = None
    events: list[Event] = field(default_factory=list)
    doubt: str = ""


class Lookup:
    """Reads the topics for one prediction at a time."""

    def __init__(self, reader: LogReader, seeds: Seeds) -> None:
        self._reader, self._seeds = reader, seeds
        self._passed = PassedOver("monitor, explaining")

    def by_id(self, name: str) -> tuple[Record, Prediction] | None:
        """Find the prediction of that id."""
        return self._prediction(
            lambda record: name.encode() in record.value, lambda p: p.prediction_id == name
        )

    def at(self, product_id: str, time_us: int) -> tuple[Record, Prediction] | None:
        """Find the last prediction of a product at or before an event time."""
        return self._prediction(
            lambda record: record.key == product_id,
            lambda p: p.product_id == product_id and p.time_us <= time_us,
        )

    def row(self, record: Record, prediction: Prediction) -> FeatureRow | None:
        """Find the row of a prediction."""
        since_ms = (prediction.featurized_us - CLOCKS_US) // 1000
        for found in self._before(FEATURES.name, record, since_ms):
            if prediction.row_id.encode() in found.value:
                row = self._passed.message(found, rows.decode)
                if row is not None and row.row_id == prediction.row_id:
                    return row
        return None

    def outcome(self, record: Record, prediction: Prediction) -> Outcome | None:
        """Find the outcome of a prediction."""
        name = prediction.prediction_id
        for partition in self._partitions(OUTCOMES.name, record.partition):
            begin, end = self._bounds(partition)
            since_ms = record.timestamp_ms - PAST_MS
            for found in self._from(
                partition, first_since(self._reader, partition, begin, end, since_ms)
            ):
                if name.encode() in found.value:
                    outcome = self._passed.message(found, outcomes.decode)
                    if outcome is not None and outcome.prediction_id == name:
                        return outcome
        return None

    def recomputed(self, record: Record, prediction: Prediction, ticks: int) -> Recomputed:
        """Make the row again from the event that gave it; a repeat of that event gives none."""
        for own, event in self._own(record, prediction):
            partition = Partition(TICKS.name, own.partition)
            made = self._made(partition, own.offset, event, record.timestamp_ms + PAST_MS)
            if made.row is not None:
                begin, _ = self._bounds(partition)
                last = self._last(partition, begin, own.offset, event, ticks)
                return Recomputed(made.row, made.run, [*last, event], made.doubt)
        return Recomputed(doubt="its tick is not in ticks any more")

    def outcome_again(self, record: Record, prediction: Prediction) -> Outcome | None:
        """Make the outcome again from the ticks that follow, None where they do not suffice."""
        for own, _ in self._own(record, prediction):
            partition = Partition(TICKS.name, own.partition)
            begin, _ = self._bounds(partition)
            before = backwards(self._reader, partition, begin, own.offset + 1)
            start = start_for(events_of(before), [prediction])
            joiner = Joiner()
            joiner.add(prediction)
            follows = self._from(partition, own.offset if start is None else start)
            for _, event in events_of(follows):
                for matured in joiner.update(event):
                    return matured.outcome
        return None

    def course(self, record: Record, prediction: Prediction) -> Course:
        """Make the state of the prediction's second again."""
        return CourseLookup(self._reader, record, prediction).course()

    def _made(self, partition: Partition, position: int, event: Event, until_ms: int) -> Recomputed:
        engine, history = FeatureEngine(Levels(self._seeds)), AsOf(self._reader, until_ms)
        deadline = time.monotonic() + REBUILD_SECONDS
        done = rebuild(engine, history, partition, position, deadline)
        row = engine.update(event)
        gone = f"older records of {', '.join(sorted(history.expired))} have expired"
        doubt = done.shortfall or (gone if history.expired else "")
        return Recomputed(row, engine.levels.of(event.product_id), [], doubt)

    def _own(self, record: Record, prediction: Prediction) -> Iterator[tuple[Record, Event]]:
        """Return the events that may have given the row, newest first."""
        key = (prediction.time_us, prediction.trade_id)
        since_ms = (prediction.received_us - CLOCKS_US) // 1000
        for found in self._before(TICKS.name, record, since_ms):
            if found.key == prediction.product_id:
                for _, event in events_of([found]):
                    mine = isinstance(event, Tick | Beat) and key_of(event) == key
                    if mine and event.feed == prediction.feed:
                        yield found, event

    def _last(
        self, partition: Partition, begin: int, end: int, own: Event, count: int
    ) -> list[Event]:
        """Return the last events of the same product and feed, oldest first."""
        last: list[Event] = []
        for _, event in events_of(backwards(self._reader, partition, begin, end)):
            if event.product_id != own.product_id:
                continue
            if len(last) == count or event.feed != own.feed:
                break
            last.append(event)
        return last[::-1]

    def _prediction(
        self, may: Callable[[Record], bool], wanted: Callable[[Prediction], bool]
    ) -> tuple[Record, Prediction] | None:
        for partition in of_topic(self._reader.partitions(), PREDICTIONS.name):
            for record in backwards(self._reader, partition, *self._bounds(partition)):
                if may(record):
                    found = self._passed.message(record, predictions.decode)
                    if found is not None and wanted(found):
                        return record, found
        return None

    def _before(self, topic: str, record: Record, since_ms: int) -> Iterator[Record]:
        """Return what was appended to a topic before a record and since a time, newest first."""
        until_ms = record.timestamp_ms + PAST_MS
        for partition in self._partitions(topic, record.partition):
            begin, end = self._bounds(partition)
            end = first_since(self._reader, partition, begin, end, until_ms)
            for found in backwards(self._reader, partition, begin, end):
                if found.timestamp_ms < since_ms:
                    break
                yield found

    def _from(self, partition: Partition, start: int) -> Iterator[Record]:
        _, end = self._bounds(partition)
        for first in range(start, end, CHUNK):
            yield from read(self._reader, partition, first, min(end, first + CHUNK))

    def _partitions(self, topic: str, likely: int) -> list[Partition]:
        """Return a topic's partitions, first the one where a product of that number stands."""
        found = of_topic(self._reader.partitions(), topic)
        return sorted(found, key=lambda partition: partition.number != likely)

    def _bounds(self, partition: Partition) -> tuple[int, int]:
        return self._reader.beginnings()[partition], self._reader.ends()[partition]

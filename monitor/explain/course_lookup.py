"""Reads ``signals`` and ``predictions`` around one prediction, and makes its state again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ingestor.topics import PREDICTIONS, SIGNALS
from monitor.explain.course import Course, Retraced, is_before
from monitor.reading import CHUNK, PAST_MS, LogReader, backwards, first_since, of_topic, read
from plumbing.kafka import Partition, PassedOver
from plumbing.kafka import Record as LogRecord
from scorer import prediction as predictions
from scorer.prediction import Prediction
from signals import records as signals
from signals.machine import Machine
from signals.records import Record

NOTHING_BEFORE: Final = "no record from before it is in signals"
NOT_THERE: Final = "the prediction that the record before it stands on is no longer there"
NOT_OVER: Final = "its second is not over: no later prediction has come"
NOT_TAKEN: Final = "its second was not taken: a later one or another feed came first"
NOT_TOLD: Final = "the record that follows is not in signals yet"


@dataclass(frozen=True, slots=True)
class CourseLookup:
    """Makes again what the monitor made of one product's predictions around one of them."""

    reader: LogReader
    record: LogRecord
    prediction: Prediction

    def course(self) -> Course:
        """Return the state of the prediction's second, from the newest record told before."""
        for partition in self._signals():
            start = self._start(partition)
            told = self._own(self._from(partition, start))
            base = next((one for one in told if self._may_be_base(one)), None)
            if base is not None:
                return self._course(base, partition, start)
        return Course(why=NOTHING_BEFORE)

    def _course(self, base: Record, partition: Partition, start: int) -> Course:
        made = self._predictions(base.state.offset)
        stood_on = next(made, None)
        last = base.state.last
        if stood_on is None or last is None or stood_on[1].prediction_id != last.prediction_id:
            return Course(why=NOT_THERE)
        again = Retraced(Machine(base.budget, base.state), self.prediction)
        while again.over is None and (following := next(made, None)) is not None:
            again.take(following[1], following[0])
        if again.over is None or again.state is None:
            return Course(base, why=NOT_OVER if again.over is None else NOT_TAKEN)
        told = self._told(partition, start, again.over)
        after = told[-1] if told and told[-1].state.offset >= again.over else None
        if after is None:
            return Course(base, told, state=again.state, why=NOT_TOLD)
        for offset, following_one in made:
            if offset > after.state.offset:
                break
            again.take(following_one, offset)
        return Course(base, told, after, again.state, again.machine.state)

    def _told(self, partition: Partition, start: int, over: int) -> list[Record]:
        """Return the product's records from ``start`` to the first that stands at ``over``."""
        told: list[Record] = []
        for one in self._own(self._from(partition, start)):
            told.append(one)
            if one.state.offset >= over:
                break
        return told

    def _start(self, partition: Partition) -> int:
        """Return where in ``signals`` the records begin that stand on what the base stands on."""
        begin, end = self._bounds(partition)
        until_ms = self.record.timestamp_ms + PAST_MS
        until = first_since(self.reader, partition, begin, end, until_ms)
        base: Record | None = None
        start = first_since(self.reader, partition, begin, until, until_ms - 2 * PAST_MS)
        for found in backwards(self.reader, partition, begin, until):
            for one in self._own(iter([found])):
                if base is not None and one.state.offset != base.state.offset:
                    return start
                if base is not None or self._is_before(one):
                    base, start = base or one, found.offset
        return start

    def _is_before(self, one: Record) -> bool:
        return is_before(one, self.prediction, self.record.offset)

    def _may_be_base(self, one: Record) -> bool:
        """Say so of a record before the prediction, or of the one that it began with."""
        return self._is_before(one) or one.state.offset == self.record.offset

    def _own(self, found: Iterator[LogRecord]) -> Iterator[Record]:
        mine = (record for record in found if record.key == self.prediction.product_id)
        passed = PassedOver("monitor, explaining")
        return (one for _, one in passed.read(mine, signals.decode))

    def _predictions(self, start: int) -> Iterator[tuple[int, Prediction]]:
        """Return the product's predictions from an offset on, if that is still kept."""
        partition = Partition(PREDICTIONS.name, self.record.partition)
        if start < self._bounds(partition)[0]:
            return
        passed = PassedOver("monitor, explaining")
        found = (r for r in self._from(partition, start) if r.key == self.prediction.product_id)
        for record, one in passed.read(found, predictions.decode):
            yield record.offset, one

    def _from(self, partition: Partition, start: int) -> Iterator[LogRecord]:
        _, end = self._bounds(partition)
        for first in range(start, end, CHUNK):
            yield from read(self.reader, partition, first, min(end, first + CHUNK))

    def _signals(self) -> list[Partition]:
        """Return the partitions of ``signals``, first the one where the product should stand."""
        found = of_topic(self.reader.partitions(), SIGNALS.name)
        return sorted(found, key=lambda partition: partition.number != self.record.partition)

    def _bounds(self, partition: Partition) -> tuple[int, int]:
        return self.reader.beginnings()[partition], self.reader.ends()[partition]

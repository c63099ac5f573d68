"""What a starting monitor reads back, within bounds: the latest predictions, the quality rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from featurizer.slots import MICROSECONDS
from ingestor.topics import OUTCOMES, PREDICTIONS
from monitor import outcome as outcomes
from monitor.http.board import Shown, shown_in
from monitor.outcome import Outcome
from monitor.reading import (
    CHUNK,
    PAST_MS,
    TAIL,
    GroupReader,
    LogReader,
    backwards,
    first_since,
    of_topic,
    read,
)
from plumbing.kafka import Partition, PassedOver
from scorer.prediction import Prediction

FIRST: Final = 20
"""Of so many offsets one has a record, of which the broker's time is asked."""

Ends = Mapping[Partition, int]


def latest(reader: LogReader, beginnings: Ends, ends: Ends) -> list[Shown]:
    """Find the last prediction of each product among the last records of each partition."""
    found, passed = dict[str, Shown](), PassedOver("monitor, restoring")
    for partition in of_topic(reader.partitions(), PREDICTIONS.name):
        begin = max(beginnings[partition], ends[partition] - TAIL)
        records = backwards(reader, partition, begin, ends[partition])
        unknown = (record for record in records if record.key not in found)
        for _, shown in shown_in(unknown, passed):
            found.setdefault(shown.prediction.product_id, shown)
    return list(found.values())


def unsettled_from(reader: GroupReader, partition: Partition, beginnings: Ends, ends: Ends) -> int:
    """Return where the group reads on: what it committed, if that still stands in the topic."""
    begin, end, committed = beginnings[partition], ends[partition], reader.committed(partition)
    if committed is None:
        return begin
    reader.compare(partition, committed, begin, end)
    return begin if committed > end else max(begin, committed)


def published(reader: LogReader, starts: Ends, beginnings: Ends, ends: Ends) -> set[str]:
    """Return the predictions whose outcome stands in the topic, of those from ``starts`` on.

    An outcome is final: what is read again from there must not be told a second time.
    """
    oldest_ms = _oldest_ms(reader, starts, ends)
    if oldest_ms is None:
        return set()
    found, passed = set[str](), PassedOver("monitor, restoring")
    for partition in of_topic(reader.partitions(), OUTCOMES.name):
        begin, end = beginnings[partition], ends[partition]
        at = first_since(reader, partition, begin, end, oldest_ms - PAST_MS)
        for start in range(at, end, CHUNK):
            records = read(reader, partition, start, min(end, start + CHUNK))
            found.update(o.prediction_id for _, o in passed.read(records, outcomes.decode))
    return found


def _oldest_ms(reader: LogReader, starts: Ends, ends: Ends) -> int | None:
    """Return when the broker took the first record from ``starts`` on; None without any."""
    times = []
    for partition, start in starts.items():
        stop = min(ends[partition], start + FIRST)
        times += [record.timestamp_ms for record in read(reader, partition, start, stop)]
    return min(times, default=None)


@dataclass(slots=True)
class _QualityWindow:
    """One product's newest outcomes of its last feed, met newest first."""

    feed: str
    first_us: int
    over: bool = False
    rows: dict[str, Outcome] = field(default_factory=dict)

    def meet(self, outcome: Outcome) -> None:
        self.over = outcome.feed != self.feed or outcome.time_us <= self.first_us
        if not self.over and outcome.label is not None and outcome.last_of_second:
            self.rows[outcome.prediction_id] = outcome


def quality_rows(
    reader: LogReader, beginnings: Ends, ends: Ends, window: int, limit: int
) -> Iterator[tuple[Prediction, Outcome]]:
    """Read back the labelled seconds of the last ``window`` seconds of event time.

    At most ``limit`` records are read of each partition of ``outcomes`` and ``predictions``.
    """
    wanted, passed = dict[str, Outcome](), PassedOver("monitor, restoring")
    for partition in of_topic(reader.partitions(), OUTCOMES.name):
        records = backwards(reader, partition, beginnings[partition], ends[partition])
        told = (outcome for _, outcome in passed.read(islice(records, limit), outcomes.decode))
        wanted.update(_labelled(told, window))
    for partition in of_topic(reader.partitions(), PREDICTIONS.name):
        records = backwards(reader, partition, beginnings[partition], ends[partition])
        for _, shown in shown_in(islice(records, limit), passed):
            if not wanted:
                return
            if shown.prediction.prediction_id in wanted:
                yield shown.prediction, wanted.pop(shown.prediction.prediction_id)


def _labelled(told: Iterable[Outcome], window: int) -> dict[str, Outcome]:
    windows: dict[str, _QualityWindow] = {}
    for outcome in told:
        first_us = outcome.time_us - window * MICROSECONDS
        standing = windows.setdefault(outcome.product_id, _QualityWindow(outcome.feed, first_us))
        standing.meet(outcome)
        if all(product.over for product in windows.values()):
            break
    return {name: row for product in windows.values() for name, row in product.rows.items()}

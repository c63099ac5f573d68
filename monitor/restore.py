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
from monitor.reading import LogReader, backwards
from plumbing.kafka import Partition, PassedOver
from scorer.prediction import Prediction

TAIL: Final = 1_000
"""Records looked through in each partition for the latest prediction of its products."""

Ends = Mapping[Partition, int]


def of_topic(partitions: Iterable[Partition], topic: str) -> list[Partition]:
    """Return the partitions of one topic, in order."""
    return sorted((p for p in partitions if p.topic == topic), key=lambda p: p.number)


def latest(reader: LogReader, beginnings: Ends, ends: Ends) -> list[Shown]:
    """Find the last prediction of each product among the last records of each partition."""
    found, passed = dict[str, Shown](), PassedOver("monitor, restoring")
    for partition in of_topic(reader.partitions(), PREDICTIONS.name):
        begin = max(beginnings[partition], ends[partition] - TAIL)
        records = backwards(reader, partition, begin, ends[partition], TAIL)
        for _, shown in shown_in(records, passed):
            found.setdefault(shown.prediction.product_id, shown)
    return list(found.values())


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

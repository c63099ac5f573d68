"""The states beside the reading of predictions: restored, made, published, then shown."""

from collections.abc import Iterable, Mapping
from typing import Final

from ingestor.topics import PREDICTIONS, SIGNALS
from monitor.metrics import MonitorMetrics
from monitor.reading import LogReader
from monitor.signals.back import newest, predictions_between
from monitor.signals.desk import Desk
from monitor.signals.machines import Machines
from plumbing.kafka import Outgoing, Partition
from scorer.prediction import Prediction
from signals.records import Record, encode
from signals.row import Budget

Ends = Mapping[Partition, int]


class States:
    """One session's machines; what they make is shown on the desk once it is published."""

    def __init__(self, desk: Desk, metrics: MonitorMetrics, budget: Budget) -> None:
        self._desk, self._metrics = desk, metrics
        self._machines: Final = Machines(budget)
        self._made: list[Record] = []
        self._sent: list[Record] = []
        self._moved: set[str] = set()

    def restore(
        self,
        reader: LogReader,
        products: Iterable[tuple[str, int]],
        beginnings: Ends,
        ends: Ends,
        positions: Ends,
    ) -> None:
        """Go on from the newest record of each product, given with its partition's number.

        What a monitor before took after that record is taken again, up to the group's position:
        it gives the bytes that it gave then.
        """
        wanted: dict[int, set[str]] = {}
        for name, number in products:
            wanted.setdefault(number, set()).add(name)
        refused = self._metrics.bad_records.labels(SIGNALS.name).inc
        taken: dict[int, dict[str, int]] = {}
        for number, record in newest(reader, wanted, beginnings, ends, refused):
            end = ends[Partition(PREDICTIONS.name, number)]
            # Of a topic that began anew the offsets say nothing; the times of its rows do.
            offset = record.state.offset if record.state.offset < end else -1
            self._machines.restore(record, number, offset)
            self._desk.restore(record)
            taken.setdefault(number, {})[record.product_id] = offset
        for number, offsets in taken.items():
            at = Partition(PREDICTIONS.name, number)
            before = min(offsets.values()), positions[at], beginnings[at]
            for message, prediction in predictions_between(reader, number, *before):
                if prediction.product_id in offsets:
                    self.take(prediction, number, message.offset)
            self._moved.update(offsets)

    def take(self, prediction: Prediction, partition: int, offset: int) -> None:
        """Take one prediction that was read."""
        self._made += self._machines.take(prediction, partition, offset)
        self._moved.add(prediction.product_id)

    def outgoing(self) -> list[Outgoing]:
        """Return what is to be published now, before the position is committed."""
        self._sent += self._made
        made, self._made = self._made, []
        return [Outgoing(SIGNALS.name, each.product_id, encode(each)) for each in made]

    def published(self) -> None:
        """Show what was published, and where the machines stand."""
        sent, self._sent = self._sent, []
        for record in sent:
            self._metrics.signal(record)
        states = {name: self._machines.state(name) for name in sorted(self._moved)}
        self._moved.clear()
        if sent or states:
            self._desk.take(sent, states, self._machines.budget)

"""Reading ``ticks`` back, by content, for predictions whose ticks are not known here."""

from collections.abc import Mapping, Sequence

from ingestor.topics import TICKS
from monitor.join import Joiner
from monitor.metrics import MonitorMetrics
from monitor.reading import LogReader, backwards, events_of, start_for
from plumbing.kafka import Partition
from plumbing.logs import get_logger
from scorer.prediction import Prediction


class TickLookup:
    """Sets the positions in ``ticks`` back to where waiting predictions need them.

    ``positions`` is the follower's own; a product's partition is learned from its ticks, and
    before there are any taken from its predictions.
    """

    def __init__(
        self,
        joiner: Joiner,
        scanner: LogReader,
        metrics: MonitorMetrics,
        ticks: Sequence[Partition],
        positions: dict[Partition, int],
    ) -> None:
        self._joiner, self._scanner, self._metrics = joiner, scanner, metrics
        self._ticks, self._positions = ticks, positions
        self._homes: dict[str, set[int]] = {}
        self._sought: set[str] = set()
        self._suspects: tuple[frozenset[str], dict[Partition, int]] | None = None

    def tick_at(self, product_id: str, number: int) -> None:
        """Learn that a product's ticks stand in this partition."""
        self._homes.setdefault(product_id, set()).add(number)

    def prediction_at(self, product_id: str, number: int, partitions: int) -> None:
        """Learn where a product's predictions stand: keys fall alike on equally many partitions."""
        if product_id not in self._homes:
            alike = len(self._ticks) == partitions
            self._homes[product_id] = {number} if alike else {p.number for p in self._ticks}

    def missing(self, ends: Mapping[Partition, int]) -> tuple[list[Prediction], list[Prediction]]:
        """Return (never sought, sought in vain): still without tick though all ticks are read.

        ``ends`` are those of ``ticks`` now; what was early at one call, and still is when all
        that stood there then has been read, is missing.
        """
        early = {p.prediction_id: p for p in self._joiner.early()}
        self._sought &= early.keys()
        if self._suspects is None or not early:
            at = {p: ends[p] for p in self._ticks}
            self._suspects = (frozenset(early), at) if early else None
            return [], []
        names, at = self._suspects
        if any(self._positions[p] < end for p, end in at.items()):
            return [], []
        self._suspects = None
        found = [early[name] for name in names if name in early]
        new = [p for p in found if p.prediction_id not in self._sought]
        return new, [p for p in found if p.prediction_id in self._sought]

    def seek(self, predictions: Sequence[Prediction]) -> None:
        """Set ``ticks`` back for these predictions and all that wait beside them."""
        self._sought.update(p.prediction_id for p in predictions)
        products = {p.product_id for p in predictions}
        for number in sorted({n for name in products for n in self._homes.get(name, ())}):
            self._seek(Partition(TICKS.name, number))

    def _seek(self, partition: Partition) -> None:
        names = [name for name, numbers in self._homes.items() if partition.number in numbers]
        waiting = self._joiner.waiting(names)
        begin = self._scanner.beginnings()[partition]
        end = self._scanner.ends()[partition]
        start = start_for(events_of(backwards(self._scanner, partition, begin, end)), waiting)
        position = self._positions[partition]
        if start is None or start >= position:
            return
        self._joiner.reset(names)
        self._positions[partition] = start
        self._metrics.rewinds.inc()
        get_logger().info(
            "monitor.ticks_read_back",
            partition=partition.number,
            found=start,
            position=position,
            waiting=len(waiting),
        )

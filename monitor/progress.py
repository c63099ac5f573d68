"""How far the topics are read, and which of them to read next."""

from collections.abc import Sequence
from typing import Final

from ingestor.topics import PREDICTIONS, TICKS
from plumbing.kafka.records import Partition

BACKLOG: Final = 2_000
"""So many unread predictions are read before any more ticks, or ticks would run far ahead."""


class Progress:
    """Positions and ends of all partitions; ``most_pending`` is how many predictions may wait."""

    def __init__(
        self, ticks: Sequence[Partition], predictions: Sequence[Partition], most_pending: int
    ) -> None:
        self.ticks, self.predictions = ticks, predictions
        self.positions: dict[Partition, int] = {}
        self.ends: dict[Partition, int] = {}
        self._most_pending = most_pending

    def lag(self, topic: str) -> int:
        """Return how many records of a topic are not read."""
        partitions = self.ticks if topic == TICKS.name else self.predictions
        return sum(max(0, self.ends.get(p, 0) - self.positions[p]) for p in partitions)

    def turn(self, assigned: tuple[str, ...], pending: int) -> tuple[str, ...]:
        """Choose what to read next, so that neither topic runs far ahead of the other."""
        full = pending >= self._most_pending
        if assigned == (TICKS.name,):
            full = pending >= self._most_pending // 2
        if full and self.lag(TICKS.name):
            return (TICKS.name,)
        if self.lag(PREDICTIONS.name) > BACKLOG:
            return (PREDICTIONS.name,)
        return (TICKS.name, PREDICTIONS.name)

    def beyond(self) -> Partition | None:
        """Return a partition that ends before what was read of it: its topic began anew."""
        ends = self.ends
        return next((p for p, at in self.positions.items() if at > ends.get(p, at)), None)

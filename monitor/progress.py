"""How far the topics are read, and which of them to read next."""

from collections.abc import Sequence
from typing import Final

from featurizer.slots import MICROSECONDS
from ingestor.tick import Event
from ingestor.topics import PREDICTIONS, TICKS
from plumbing.kafka.records import Partition
from scorer.prediction import Prediction

BACKLOG: Final = 2_000
"""So many unread predictions are read before any more ticks, or ticks would run far ahead."""
AHEAD_US: Final = 120 * MICROSECONDS
"""So far ticks may run ahead of predictions that are made late: a label needs 61 seconds."""


class Progress:
    """Positions and ends of all partitions; ``most_pending`` is how many predictions may wait.

    Predictions that were scored more than ``late_us`` after their tick was received are a
    scorer's that catches up: ticks wait for it, or they would be read again for each of its bursts.
    """

    def __init__(
        self,
        ticks: Sequence[Partition],
        predictions: Sequence[Partition],
        most_pending: int,
        late_us: int,
    ) -> None:
        self._late_us, self._behind = late_us, False
        self._heard_us = self._made_us = -1
        self.ticks, self.predictions = ticks, predictions
        self.positions: dict[Partition, int] = {}
        self.ends: dict[Partition, int] = {}
        self._most_pending = most_pending

    def met(self, event: Event) -> None:
        """Note how far the ticks are, by the clock that received them."""
        self._heard_us = max(self._heard_us, event.received_us)

    def made(self, prediction: Prediction) -> None:
        """Note how far the predictions are, by the same clock."""
        if prediction.received_us >= self._made_us:
            self._made_us = prediction.received_us
            self._behind = prediction.scored_us - prediction.received_us > self._late_us

    def went_back(self) -> None:
        """Say that ticks are read again from before."""
        self._heard_us = -1

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
        ahead = self._behind and self._heard_us > self._made_us + AHEAD_US
        if ahead or self.lag(PREDICTIONS.name) > BACKLOG:
            return (PREDICTIONS.name,)
        return (TICKS.name, PREDICTIONS.name)

    def beyond(self) -> Partition | None:
        """Return a partition that ends before what was read of it: its topic began anew."""
        ends = self.ends
        return next((p for p, at in self.positions.items() if at > ends.get(p, at)), None)

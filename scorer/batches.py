"""Rows through the model in batches: as many as it answers in time, and past those it cannot."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from plumbing.backoff import Backoff
from plumbing.kafka import Record
from plumbing.logs import get_logger
from plumbing.stop import Stop
from plumbing.tracing.trace import Span
from scorer.prediction import Prediction
from scorer.shadow_client import ShadowClient
from scorer.variants import Arrived, predictions_of
from serving.v2 import BadResponse, ModelError, ModelFailed, ModelSlow

TRIES: Final = 3
"""So often one row may fail by itself, while the model answers another, before it is refused."""
_OF_ROWS: Final = (BadResponse, ModelFailed, ModelSlow)
"""Failures that may come of the rows asked for; others say that the model is not there."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row that is to be scored, where it stood, its values in the order of ``NAMES``."""

    record: Record
    arrived: Arrived
    values: tuple[float | None, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that the model cannot answer though it answers others, and what it said."""

    held: Held
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the first rows: predictions in their order, or one row refused."""

    predictions: Sequence[Prediction] = ()
    refused: Refused | None = None

    @property
    def rows(self) -> int:
        """How many rows that were."""
        return len(self.predictions) if self.refused is None else 1


class BatchSize:
    """How many rows a request has: halved where so many fail, grown by an eighth after success.

    >>> size = BatchSize(1000)
    >>> size.failed(1000); size.rows
    500
    >>> size.answered(500); size.rows
    562
    """

    def __init__(self, most: int) -> None:
        self._most = self.rows = most

    def failed(self, rows: int) -> None:
        """Ask for half as many from now on, at least one."""
        self.rows = max(1, rows // 2)

    def answered(self, rows: int) -> None:
        """Ask for some more, where it was that many that were asked for."""
        if rows >= self.rows:
            self.rows = min(self._most, self.rows + max(1, self.rows // 8))


class BatchScorer:
    """Has rows scored by the variant that serves, however long it is away.

    A batch at which the model fails, while it answers the example row, is halved, down to the
    row that is to blame: that one is refused. Whatever else fails is tried again, by the delays
    of ``retry``, with ``stay`` called beside each. ``holding`` is told of rows that wait,
    ``now_us`` gives the wall clock in epoch microseconds.
    """

    def __init__(
        self,
        models: ShadowClient,
        most: int,
        retry: Backoff,
        stop: Stop,
        *,
        stay: Callable[[], object],
        holding: Callable[[int], object],
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._models, self._retry, self._stop = models, retry, stop
        self._stay, self._holding, self._now_us = stay, holding, now_us
        self._size = BatchSize(most)

    def first(self, waiting: Sequence[Held]) -> Answered | None:
        """Take the first rows of those that wait through the model; None where the end came."""
        alone = 0
        for delay in self._retry:
            if self._stop.requested:
                break
            batch = waiting[: self._size.rows]
            try:
                answered = Answered(self._predicted(batch))
            except ModelError as exc:
                to_blame = self._to_blame(exc)
                alone += to_blame and len(batch) == 1
                if alone >= TRIES or (alone and isinstance(exc, BadResponse)):
                    self._holding(0)
                    return Answered(refused=Refused(batch[0], str(exc)))
                if to_blame and len(batch) > 1:
                    self._halve(batch, exc)
                else:
                    self._hold(batch, delay, exc)
            else:
                self._size.answered(len(batch))
                self._holding(0)
                return answered
        return None

    def _predicted(self, batch: Sequence[Held]) -> list[Prediction]:
        values, spans = [held.values for held in batch], [held.span for held in batch]
        served, shadows = self._models.ask(values, spans)
        return predictions_of([held.arrived for held in batch], served, shadows, self._now_us())

    def _to_blame(self, exc: ModelError) -> bool:
        """Say whether the rows are at fault: the model answers the example row meanwhile."""
        if not isinstance(exc, _OF_ROWS):
            return False
        self._models.probe()
        return self._models.answers

    def _halve(self, batch: Sequence[Held], exc: ModelError) -> None:
        self._size.failed(len(batch))
        get_logger().warning("batch.halved", rows=len(batch), reason=str(exc))
        self._stay()

    def _hold(self, batch: Sequence[Held], delay: float, exc: ModelError) -> None:
        self._holding(len(batch))
        get_logger().warning("batch.held", rows=len(batch), delay_seconds=delay, reason=str(exc))
        self._stay()
        self._stop.wait(delay)

"""What the monitor shows now: the latest predictions, recent outcomes, and who listens."""

import asyncio
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ingestor.tick import Break
from monitor.forecast_record import ForecastRecord, Said, Week
from monitor.outcome import Outcome
from monitor.states.machines import Standing
from plumbing.kafka import PassedOver, Record, message_of
from plumbing.logs import get_logger
from scorer import prediction as predictions
from scorer.prediction import Prediction

SHOWN_HOURS: Final = 24
"""What chances said beside what came, in metrics: a day has calm and wild hours."""
WEEK_SECONDS: Final = 60.0
"""Seven days of many products take long to add up."""
RECENT_OUTCOMES: Final = 20_000
RECENT_BREAKS: Final = 1_000
RECENT_PREDICTIONS: Final = 1_000
"""So many can be caught up with by a listener that was away (``Last-Event-ID``)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A prediction and its JSON as it stands in the topic, appended at ``appended_ms``."""

    prediction: Prediction
    json: bytes
    partition: int
    appended_ms: int = 0

    def newer_than(self, other: "Shown | None") -> bool:
        """Return whether this one is the later row; another feed's always is."""
        if other is None or other.prediction.feed != self.prediction.feed:
            return True
        mine, its = self.prediction, other.prediction
        return (mine.time_us, mine.trade_id) >= (its.time_us, its.trade_id)


def shown_of(record: Record) -> Shown:
    """Read one record of ``predictions``; raises ``msgspec.DecodeError`` with the reason."""
    return _shown(record, message_of(record, predictions.decode))


def _shown(record: Record, prediction: Prediction) -> Shown:
    return Shown(prediction, record.value, record.partition, record.timestamp_ms)


def shown_in(records: Iterable[Record], passed: PassedOver) -> Iterator[tuple[Record, Shown]]:
    """Read records of ``predictions``, passing over those that cannot be read."""
    for record, found in passed.read(records, predictions.decode):
        yield record, _shown(record, found)


class Board:
    """Written by the reading thread, read by the HTTP side; ``states`` gives those of now.

    ``forecasts`` is what chances said beside what came, over the last day, ``week`` over seven.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._clock, self._week_due = threading.Lock(), clock, -math.inf
        self._latest: dict[str, Shown] = {}
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self._waiting: set[str] = set()
        self._breaks: deque[Break] = deque(maxlen=RECENT_BREAKS)
        self.states: Callable[[], list[Standing]] = list
        self.forecasts: tuple[Said, ...] = ()
        self.week = Week()

    def show(self, shown: Shown) -> None:
        """Take a prediction as the latest of its product, if it is."""
        with self._lock:
            name = shown.prediction.product_id
            if shown.newer_than(self._latest.get(name)):
                self._latest[name] = shown

    def latest(self, product_id: str) -> Shown | None:
        """Return the latest prediction of a product."""
        return self._latest.get(product_id)

    def all_latest(self) -> list[Shown]:
        """Return the latest prediction of each product, by name."""
        with self._lock:
            return [self._latest[name] for name in sorted(self._latest)]

    def products(self) -> list[str]:
        """Return the products that have predictions."""
        with self._lock:
            return sorted(self._latest)

    def broke(self, event: Break) -> None:
        """Remember a Break for a while."""
        with self._lock:
            self._breaks.append(event)

    def recall(self, events: list[Break]) -> None:
        """Remember Breaks that were read back, oldest first, as far as there is room."""
        with self._lock:
            older = [event for event in events if event not in self._breaks]
            room = RECENT_BREAKS - len(self._breaks)
            self._breaks.extendleft(older[::-1][:room])

    def breaks(self) -> list[Break]:
        """Return the last Breaks, in their order."""
        with self._lock:
            return list(self._breaks)

    def remember(self, record: ForecastRecord) -> None:
        """Take what chances said: of the last day, and every minute of the week."""
        self.forecasts = tuple(record.last(SHOWN_HOURS))
        if self._clock() >= self._week_due:
            self._week_due = self._clock() + WEEK_SECONDS
            self.week = record.week()

    def settle(self, outcome: Outcome) -> None:
        """Remember an outcome for a while."""
        with self._lock:
            self._waiting.discard(outcome.prediction_id)
            self._outcomes[outcome.prediction_id] = outcome
            if len(self._outcomes) > RECENT_OUTCOMES:
                self._outcomes.popitem(last=False)

    def wait(self, prediction_id: str) -> None:
        """Remember that a prediction waits for its outcome."""
        with self._lock:
            self._waiting.add(prediction_id)

    def waits(self, prediction_id: str) -> bool:
        """Return whether a prediction is known to have no outcome yet."""
        return prediction_id in self._waiting

    def outcome(self, prediction_id: str) -> Outcome | None:
        """Return a recent outcome."""
        with self._lock:
            return self._outcomes.get(prediction_id)


class Listener:
    """One client of the stream, with a bounded queue; None in it means the end.

    ``missed`` says that it had an id of ours and lacks what came after; ``abort`` cuts its
    connection.
    """

    def __init__(self, product_id: str | None, size: int) -> None:
        self.product_id = product_id
        self.queue: asyncio.Queue[Shown | None] = asyncio.Queue(size + 1)
        self._size = size
        self.dropped = self.missed = False
        self.abort: Callable[[], None] = lambda: None

    def wants(self, shown: Shown) -> bool:
        """Return whether this client asked for that product."""
        return self.product_id in (None, shown.prediction.product_id)

    def offer(self, shown: Shown) -> bool:
        """Queue one prediction; False if the client is too slow."""
        if self.queue.qsize() >= self._size:
            return False
        self.queue.put_nowait(shown)
        return True


class Hub:
    """Gives each new prediction to all listeners; used in the event loop only."""

    def __init__(self, queue_size: int, on_dropped: Callable[[], None]) -> None:
        self._size, self._on_dropped = queue_size, on_dropped
        self._listeners: set[Listener] = set()
        self._recent: deque[Shown] = deque(maxlen=RECENT_PREDICTIONS)
        self._latest: dict[str, Shown] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    def listen(self, product_id: str | None, after: str = "") -> Listener:
        """Add a client: it first gets what came after the id ``after``, else the latest."""
        listener = Listener(product_id, self._size)
        missed = self._since(after)
        listener.missed = missed is None and bool(after)
        for shown in missed or self._latest.values():
            if listener.wants(shown):
                listener.offer(shown)
        if self._closed:
            listener.queue.put_nowait(None)
        else:
            self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a client."""
        self._listeners.discard(listener)

    def publish(self, batch: list[Shown]) -> None:
        """Return out new predictions; a client whose queue is full is dropped."""
        self._recent.extend(batch)
        for shown in batch:
            if shown.newer_than(self._latest.get(shown.prediction.product_id)):
                self._latest[shown.prediction.product_id] = shown
        for listener in list(self._listeners):
            if not all(listener.offer(shown) for shown in batch if listener.wants(shown)):
                self._drop(listener)

    def close(self) -> None:
        """End all streams, present and coming."""
        self._closed = True
        for listener in self._listeners:
            if not listener.queue.full():
                listener.queue.put_nowait(None)
        self._listeners.clear()

    def _since(self, after: str) -> list[Shown] | None:
        """Return what came after an id; None where that is not remembered."""
        recent = list(self._recent)
        for at, shown in enumerate(recent):
            if shown.prediction.prediction_id == after:
                return recent[at + 1 :]
        return None

    def _drop(self, listener: Listener) -> None:
        listener.dropped = True
        listener.queue.put_nowait(None)
        listener.abort()  # its writer may stand in a full socket for ever
        self._listeners.discard(listener)
        self._on_dropped()
        get_logger().warning(
            "monitor.stream_client_dropped", reason="too slow", queued=listener.queue.qsize()
        )

"""What a desk sees now: where each product stands, its newest record, and who is told of news."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor.signals.standing import Standing, is_silent, standing_of
from signals.records import Record
from signals.row import Budget, Row
from signals.state import State


@dataclass(frozen=True, slots=True)
class News:
    """What happened: records that stand in the topic now, and products that stand elsewhere."""

    records: Sequence[Record]
    standings: Sequence[Standing]


Hook = Callable[[News], None]


class Desk:
    """Written by the reading thread, read from any; it outlasts the sessions of reading.

    ``wall`` is the clock in seconds. Hooks are called in the thread that has news, with records in
    their order: they must not block, and hand over to their own loop.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall, self._lock = wall, threading.Lock()
        self._states: dict[str, tuple[State, Row, Budget]] = {}
        self._records: dict[str, Record] = {}
        self._silent: set[str] = set()
        self._hooks: list[Hook] = []

    def restore(self, record: Record) -> None:
        """Take a product's newest record from the topic; it is no news."""
        with self._lock:
            self._records[record.product_id] = record

    def take(self, records: Sequence[Record], states: Mapping[str, State], budget: Budget) -> None:
        """Take records that are published, and where the machines of these products stand."""
        now_us = self.now_us()
        with self._lock:
            self._records.update({record.product_id: record for record in records})
            for name, state in states.items():
                if state.last is not None:
                    self._states[name] = state, state.last, budget
            standings = [self._standing(name, now_us) for name in states if name in self._states]
            self._silent.difference_update(states)
            self._silent.update(each.product_id for each in standings if each.detail == "silent")
        self._tell(News(records, standings))

    def look(self) -> None:
        """Tell of products that have become silent since the last look; done every second."""
        now_us = self.now_us()
        with self._lock:
            silent = {name for name, (_, row, _) in self._states.items() if is_silent(row, now_us)}
            standings = [self._standing(name, now_us) for name in sorted(silent - self._silent)]
            self._silent = silent
        if standings:
            self._tell(News((), standings))

    def standings(self) -> list[Standing]:
        """Return where each product stands now, by name."""
        now_us = self.now_us()
        with self._lock:
            return [self._standing(name, now_us) for name in sorted(self._states)]

    def standing(self, product_id: str) -> Standing | None:
        """Return where a product stands now, None of one that has no row."""
        now_us = self.now_us()
        with self._lock:
            return self._standing(product_id, now_us) if product_id in self._states else None

    def newest_row(self, product_id: str) -> Row | None:
        """Return the newest row that a product's machine has taken."""
        with self._lock:
            found = self._states.get(product_id)
        return None if found is None else found[1]

    def newest_record(self, product_id: str) -> Record | None:
        """Return the newest record of a product in the topic."""
        with self._lock:
            return self._records.get(product_id)

    def subscribe(self, hook: Hook) -> Callable[[], None]:
        """Have a hook called with all news from now on; returns what ends that."""
        with self._lock:
            self._hooks = [*self._hooks, hook]
        return lambda: self._leave(hook)

    def now_us(self) -> int:
        """Return the wall clock in epoch microseconds."""
        return int(self._wall() * 1e6)

    def _standing(self, name: str, now_us: int) -> Standing:
        return standing_of(*self._states[name], now_us)

    def _tell(self, news: News) -> None:
        for hook in self._hooks:
            hook(news)

    def _leave(self, hook: Hook) -> None:
        with self._lock:
            self._hooks = [each for each in self._hooks if each is not hook]

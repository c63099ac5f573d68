"""One-second slots of event time for one product, and the one rule of what enters them.

A slot is one second that had a Tick or a Beat.
A second without either has no slot, and nothing is carried into it.
Features and labels both stand on ``Timeline``, so they cannot disagree about what was accepted.
"""

from dataclasses import dataclass
from enum import Enum
from math import log
from typing import Final

from ingestor.tick import Beat, Event, Tick

MICROSECONDS: Final = 1_000_000
SIZE: Final = 301
"""The longest return reaches from second s back to second s - 300."""
AFTER_ALL_TRADES: Final = 2**63 - 1
"""Stands for the trade id of a Beat: no Tick of its second can come after it."""


class Taken(Enum):
    """What became of an event."""

    ACCEPTED = "accepted"
    LATE = "late"
    REPEATED = "repeated"
    BEAT = "beat"
    BREAK = "break"

    __hash__ = object.__hash__
    """Each is one object: counting by it should not go through Python."""


@dataclass(slots=True)
class Slot:
    """What is kept of one second: its last quote and how many ticks it had.

    ``spread`` and ``imbalance`` are fractions of mid and of total size.
    ``joined`` says that no Break stands between this slot's quote and the slot before.
    ``broken_us`` is the time of the last Break inside this second, or -1.
    ``log_return`` and ``velocity`` compare with the second before.
    All is final once a later second has begun.
    """

    second: int
    mid: float
    spread: float
    imbalance: float | None
    ticks: int
    joined: bool
    broken_us: int = -1
    log_return: float | None = None
    velocity: float | None = None


class Slots:
    """The last ``size`` seconds up to the current one; ``current`` may still change."""

    __slots__ = ("_before", "_ring", "_size", "current")

    def __init__(self, size: int = SIZE) -> None:
        self._ring: list[Slot | None] = [None] * size
        self._size = size
        self.current: Slot | None = None
        self._before: Slot | None = None  # of the second before the current one

    def at(self, second: int) -> Slot | None:
        """Return the slot of that second, if it has one and is not too old."""
        slot = self._ring[second % self._size]
        return slot if slot is not None and slot.second == second else None

    def between(self, first: int, last: int) -> list[Slot]:
        """Return the existing slots of ``first … last``, at most ``size`` seconds, in order."""
        if first > last:
            return []
        ring, begin, end = self._ring, first % self._size, last % self._size + 1
        found = ring[begin:end] if begin < end else ring[begin:] + ring[:end]
        return [slot for slot in found if slot is not None and slot.second >= first]

    def open(self, slot: Slot) -> None:
        """Begin a new second: the one before is final from here on."""
        self._before = self.at(slot.second - 1)
        self._ring[slot.second % self._size] = self.current = slot

    def compare(self) -> None:
        """Set the current slot's return and velocity against the second before it."""
        now, before = self.current, self._before
        assert now is not None
        if before is None or not now.joined:
            now.log_return = now.velocity = None
        else:
            mid, then = now.mid, before.mid
            now.log_return = log(mid / then)
            now.velocity = abs(mid - then) / then


class Timeline:
    """One product's events of one feed, in order, as slots.

    State is the slots, the last accepted key (``time_us``, ``trade_id`` or 0) and whether
    a Break is pending; nothing else, so that reading back ``size`` seconds rebuilds it.
    """

    __slots__ = ("broken", "feed", "key", "slots")

    def __init__(self, feed: str, size: int = SIZE) -> None:
        self.feed = feed
        self.slots = Slots(size)
        self.key = (-1, -1)
        self.broken = False

    def take(self, event: Event) -> Taken:
        """Put one event in its place; a late or repeated Tick or Beat changes nothing."""
        if isinstance(event, Tick):
            return self._tick(event)
        if isinstance(event, Beat):
            return self._beat(event)
        self._unjoin(event.time_us)
        return Taken.BREAK

    def _tick(self, tick: Tick) -> Taken:
        key = (tick.time_us, tick.trade_id or 0)
        if key <= self.key:
            return Taken.REPEATED if key == self.key else Taken.LATE
        self.key = key
        self._put(tick).ticks += 1
        return Taken.ACCEPTED

    def _beat(self, beat: Beat) -> Taken:
        now = self.slots.current
        if now is not None and beat.time_us // MICROSECONDS <= now.second:
            return Taken.REPEATED
        self.key = (beat.time_us, AFTER_ALL_TRADES)
        self._put(beat)
        return Taken.BEAT

    def _put(self, event: Tick | Beat) -> Slot:
        second, mid = event.time_us // MICROSECONDS, event.mid
        now = self.slots.current
        if now is None or now.second != second:
            now = Slot(second, mid, 0.0, None, 0, joined=not self.broken)
            self.slots.open(now)
        elif self.broken:  # a Break stamped in a later second, then a Tick from before it
            now.joined = False
            now.broken_us = max(now.broken_us, event.time_us)
        now.mid = mid
        now.spread = (event.ask - event.bid) / mid
        now.imbalance = imbalance_of(event.bid_size, event.ask_size)
        self.broken = False
        self.slots.compare()
        return now

    def _unjoin(self, time_us: int) -> None:
        self.broken = True
        now = self.slots.current
        if now is not None and time_us // MICROSECONDS <= now.second:
            now.joined = False
            now.broken_us = max(now.broken_us, time_us)
            self.slots.compare()


def imbalance_of(bid_size: float | None, ask_size: float | None) -> float | None:
    """Return (bid − ask)/(bid + ask) of the sizes, or None where they are unknown or both 0."""
    if bid_size is None or ask_size is None or bid_size + ask_size == 0:
        return None
    return (bid_size - ask_size) / (bid_size + ask_size)

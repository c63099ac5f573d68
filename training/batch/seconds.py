"""The seconds of one product as columns: what ``featurizer.slots`` keeps of each, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from featurizer.slots import MICROSECONDS, SIZE, Slot, Timeline
from ingestor.tick import Beat, Break, Tick
from training.batch.columns import Flags, Floats, Ints, logs, numbers
from training.batch.keys import Fetch, Keys
from training.batch.places import NONE, Places, places_of
from training.batch.taken import ACCEPTED, Fates


@dataclass(frozen=True, slots=True)
class Slots:
    """Columns of the names that a ``Slot`` has, in order of time; NaN stands for None.

    ``ticks`` are floats. The term of a statistic is made of these columns as it is of one slot.
    """

    second: Ints
    mid: Floats
    spread: Floats
    imbalance: Floats
    ticks: Floats
    joined: Flags
    log_return: Floats
    velocity: Floats

    def __len__(self) -> int:
        return len(self.second)

    @property
    def follow(self) -> Flags:
        """Return which have a slot in the second before."""
        found: Flags = np.diff(self.second, prepend=-2) == 1
        return found

    def compared(self, joined: Flags, known: int) -> "Slots":
        """Return them with the returns that stand where these are joined, the first ones kept."""
        at = np.flatnonzero(self.follow & joined)
        at = at[at >= known]
        mid, then = self.mid[at], self.mid[at - 1]
        found = np.full((2, len(self)), np.nan)
        found[:, :known] = self.log_return[:known], self.velocity[:known]
        found[:, at] = logs(mid / then), np.abs(mid - then) / then
        return replace(self, joined=joined, log_return=found[0], velocity=found[1])

    def parted(self, joined: Flags) -> "Slots":
        """Return them with the returns of those alone that are joined still."""
        log_return, velocity = (
            np.where(joined, each, np.nan) for each in (self.log_return, self.velocity)
        )
        return replace(self, joined=joined, log_return=log_return, velocity=velocity)


@dataclass(frozen=True, slots=True)
class Seconds:
    """All slots: the first ``before`` were there before the first event, their last one open.

    ``closed`` is what each slot is once a later one has begun, ``at_rows`` what it was at its last
    row; a Break between these parts them. ``joined_first`` says how it was at its first event,
    ``quotes`` are the last events of those that have some.
    """

    places: Places
    before: int
    at_rows: Slots
    closed: Slots
    joined_first: Flags
    quotes: Sequence[Tick | Beat]

    def __len__(self) -> int:
        return len(self.closed)

    def rows(self) -> Ints:
        """Return where among the events each slot's last one stands, of which its row is."""
        found: Ints = np.append(self.places.accepted, NONE)[self.places.last]
        return found


NAMES: Final = Slots.__slots__
NEW: Final = np.array([0.0, np.nan, np.nan, np.nan, 0.0, 1.0, np.nan, np.nan])
"""What a slot begins with, by the names: of no second yet, without a tick, joined."""


def seconds_of(keys: Keys, fates: Fates, fetch: Fetch, timeline: Timeline | None) -> Seconds:
    """Return the seconds that events make, which go on where a product's ``timeline`` was."""
    prior = _prior(timeline)
    last = prior[-1].second if prior else NONE
    broken = timeline is not None and timeline.broken
    places = places_of(keys, fates, len(prior), last, broken)
    own = np.flatnonzero(places.last != NONE)
    events = fetch(places.accepted[places.last[own]].tolist())
    quotes = [event for event in events if not isinstance(event, Break)]  # of which there is none
    slots = _quoted(prior, places, own, quotes)
    ticks = np.bincount(places.slot[fates[places.accepted] == ACCEPTED], minlength=len(slots))
    slots = replace(slots, ticks=slots.ticks + ticks)
    at_rows = slots.joined & places.unbroken()
    closed, first = at_rows.copy(), at_rows.copy()
    closed[places.under[places.reaching]] = False
    first[own] = ~places.gap[places.first[own]]
    rows = slots.compared(at_rows, max(len(prior) - 1, 0))
    return Seconds(
        places=places,
        before=len(prior),
        at_rows=rows,
        closed=rows.parted(closed),
        joined_first=first,
        quotes=quotes,
    )


def _prior(timeline: Timeline | None) -> list[Slot]:
    now = None if timeline is None else timeline.slots.current
    if timeline is None or now is None:
        return []
    return timeline.slots.between(now.second - SIZE + 1, now.second)


def _quoted(
    prior: Sequence[Slot], places: Places, own: Ints, quotes: Sequence[Tick | Beat]
) -> Slots:
    """Return the slots with their last quotes; ticks and returns are those of before."""
    count = len(places.last)
    found = np.full((len(NAMES), count), np.nan)
    found[:, : len(prior)] = numbers(prior, *NAMES)
    bid, ask, size, other, times = numbers(quotes, "bid", "ask", "bid_size", "ask_size", "time_us")
    mid, both = (bid + ask) / 2, size + other
    both[both == 0] = np.nan
    found[:, len(prior) :] = NEW[:, np.newaxis]
    found[:4, own] = times // MICROSECONDS, mid, (ask - bid) / mid, (size - other) / both
    columns: dict[str, Any] = dict(zip(NAMES, found, strict=True))
    kinds = {"second": np.int64, "joined": np.bool_}
    return Slots(**columns | {name: columns[name].astype(kind) for name, kind in kinds.items()})

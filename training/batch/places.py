"""Where events stand: which are taken, in which slots, and where continuity is lost."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from training.batch.columns import Flags, Ints, prefixed
from training.batch.keys import BREAK, Keys
from training.batch.taken import ACCEPTED, BEATEN, Fates

NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Places:
    """Ticks and Beats that are taken, the slots they make, and the Breaks between them.

    ``accepted`` are their positions among all events, ``slot`` their slots; ``first`` and ``last``
    say by slot which of them it begins and ends with, ``NONE`` where it had events before only.
    ``gap`` says of each whether a Break stands before it.
    ``breaks`` are positions too, ``under`` the slots that were open there or ``NONE``;
    those ``reaching`` lie in that slot's second or before, so that they unjoin it.
    """

    accepted: Ints
    slot: Ints
    first: Ints
    last: Ints
    gap: Flags
    breaks: Ints
    under: Ints
    reaching: Flags

    def unbroken(self) -> Flags:
        """Return by slot whether no Break stands before one of its events."""
        gaps = prefixed(self.gap)
        untouched = self.last == NONE
        found: Flags = untouched | (gaps[self.last + 1] == gaps[np.maximum(self.first, 0)])
        return found

    def begins(self, events: int) -> Ints:
        """Return by slot where among so many events it begins, and behind all their number."""
        found: Ints = np.append(self.accepted, events)[np.append(self.first, NONE)]
        return found


def places_of(keys: Keys, fates: Fates, before: int, last: int, broken: bool) -> Places:
    """Return the places of events after so many slots, the last of them of second ``last``.

    ``broken`` says that a Break stands between these and the first event.
    """
    accepted = np.flatnonzero((fates == ACCEPTED) | (fates == BEATEN))
    second = keys.second[accepted]
    slot = before - 1 + np.cumsum(second != np.append(last, second[:-1])[: len(second)])
    count = int(slot[-1]) + 1 if len(slot) else before
    breaks = np.flatnonzero(keys.are(BREAK))
    following = np.searchsorted(accepted, breaks)
    under = np.append(before - 1, slot)[following]
    open_second = np.append(last, second)[following]
    reaching = (keys.second[breaks] <= open_second) & (under != NONE)
    gap = np.zeros(len(accepted) + 1, np.bool_)
    gap[following] = True
    gap[0] |= broken
    first, ends = _ends(slot, count)
    return Places(accepted, slot, first, ends, gap[:-1], breaks, under, reaching)


def _ends(slot: Ints, count: int) -> tuple[Ints, Ints]:
    first, last = np.full(count, NONE, np.int64), np.full(count, NONE, np.int64)
    at = np.arange(len(slot))
    first[slot[::-1]] = at[::-1]
    last[slot] = at
    return first, last

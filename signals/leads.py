"""How early a run stands at an onset, beside what chance gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from signals.runs import Runs
from signals.seconds import Flags, Floats, Ints

LEADS: Final = (0, 5, 10, 30, 60)
"""Seconds at which detection is stated; the first are nearly mechanical, the last are a minute."""
EARLY: Final = 10
"""Seconds from which on a lead is one that somebody can act in."""
LATE: Final = 60
"""A run that starts so many seconds after an onset is late; later ones are of something else."""
STANDING: Final = 900
"""A run that is older says no more of this onset than of any other."""


@dataclass(frozen=True, slots=True)
class Leads:
    """What stood at each onset, arrays [onsets].

    ``seconds`` is onset less start of the run: that which still stands then, else the next if it
    starts within 60 s; NaN where there is neither, which is missed. ``run`` is its number, -1
    where missed.
    """

    seconds: Floats
    run: Ints

    @property
    def is_standing(self) -> Flags:
        """Return the onsets at which the run was older than 15 minutes: a kind of their own."""
        return self.seconds > STANDING

    @property
    def is_early(self) -> Flags:
        """Return the onsets with a lead of 10 s or more."""
        return (self.seconds >= EARLY) & ~self.is_standing

    @property
    def is_at_once(self) -> Flags:
        """Return the onsets with a lead below 10 s."""
        return (self.seconds >= 0) & (self.seconds < EARLY)

    @property
    def is_late(self) -> Flags:
        """Return the onsets whose run started after them."""
        return self.seconds < 0

    @property
    def is_missed(self) -> Flags:
        """Return the onsets without a run."""
        return np.isnan(self.seconds)

    def detected(self, lead: int) -> int:
        """Return at how many onsets a run stood for so many seconds, but no more than 900."""
        return int(((self.seconds >= lead) & ~self.is_standing).sum())


def leads(onsets: Ints, runs: Runs) -> Leads:
    """Return what stood at each onset; both are positions among the same seconds."""
    if not len(runs):
        return Leads(np.full(len(onsets), np.nan), np.full(len(onsets), -1))
    following = np.searchsorted(runs.start, onsets, side="right")
    newest = np.maximum(following - 1, 0)
    stands = (following > 0) & (onsets < runs.end[newest])
    after = np.minimum(following, len(runs) - 1)
    is_late = (following < len(runs)) & (runs.start[after] <= onsets + LATE)
    run = np.where(stands, newest, np.where(is_late, after, -1))
    return Leads(np.where(run >= 0, onsets - runs.start[run], np.nan), run)


def chance(runs: Runs, calm: Flags, lead_seconds: Sequence[int]) -> list[int]:
    """Return for each lead in how many of the calm seconds [n] a run stood as it does for it.

    Their share is what an onset at any calm second would have been detected with.
    """
    age = runs.age(len(calm))[calm]
    age = age[age <= STANDING]
    return [int((age >= lead).sum()) for lead in lead_seconds]

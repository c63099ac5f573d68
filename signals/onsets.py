"""Spells and their onsets: what a signal of either level is there to foresee."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from signals.seconds import Flags, Ints, Seconds

QUIET: Final = 300
"""Covered seconds in a row below kτ that end a spell, and that an onset has before it."""


@dataclass(frozen=True, slots=True)
class Spells:
    """Spells of a level in their order, positions among some seconds, arrays [m].

    A spell is from ``start``, its first second at kτ, up to ``end``, by which 300 covered seconds
    in a row were below; the number of seconds where that did not come. ``has_onset`` says whether
    as many stood before it, too, and the crossing was not made by the border of a bin alone.
    """

    start: Ints
    end: Ints
    has_onset: Flags

    def __len__(self) -> int:
        return len(self.start)

    @property
    def onsets(self) -> Ints:
        """Return the first seconds of the spells that have an onset."""
        return self.start[self.has_onset]


def spells(seconds: Seconds, level: int) -> Spells:
    """Return the spells in which RV60 is at τ times the level, 1 or 2."""
    quiet = _quiet_seconds(seconds, level)
    high = np.flatnonzero(seconds.reached(level))
    ended = np.flatnonzero(quiet == QUIET)
    new = np.ones(len(high), np.bool_)
    new[1:] = np.searchsorted(ended, high[1:]) > np.searchsorted(ended, high[:-1])
    start = high[new]
    ends = np.append(ended, len(seconds))
    before = np.where(start > 0, quiet[start - 1], 0)
    has_onset = (before >= QUIET) & ~_by_border(seconds, level)[start]
    return Spells(start, ends[np.searchsorted(ended, start)], has_onset)


def calm(seconds: Seconds, level: int) -> Flags:
    """Return the seconds after which an onset may come: 300 covered ones in a row are below."""
    return _quiet_seconds(seconds, level) >= QUIET


def _quiet_seconds(seconds: Seconds, level: int) -> Ints:
    """Return how many covered seconds in a row are below, each counted with it."""
    low = seconds.covered & ~seconds.reached(level)
    at = np.arange(1, len(low) + 1)
    found: Ints = at - np.maximum.accumulate(np.where(low, 0, at))
    return found


def _by_border(seconds: Seconds, level: int) -> Flags:
    """Return the crossings that are none: τ has come down on an RV60 that crosses nothing.

    The volatility of the second before is at the new level already, and that of this one would
    be below the old one.
    """
    found = np.zeros(len(seconds), np.bool_)
    tau, volatility = level * seconds.tau, seconds.volatility
    found[1:] = (volatility[:-1] >= tau[1:]) & (volatility[1:] < tau[:-1])
    return found

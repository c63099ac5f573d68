"""The runs of both levels from arrays: what the machine finds, for a hundred θ in seconds.

A run is jumped to and through, so that a θ costs as much as it alarms.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from signals.row import MICROSECONDS, Thresholds
from signals.rules import AFTER, FROZEN, KEPT, Hysteresis
from signals.seconds import Flags, Ints, Seconds
from signals.state import Run

CHUNK: Final = 1_024
"""Seconds of a run that are looked at together: most runs take one look."""

Over = Callable[[slice, float], Flags]
"""Which seconds of a slice are among those that end a run with this τ at its start."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of one level in their order, positions among some seconds, arrays [m].

    ``end`` is the first second after the run, the number of seconds where it lasts or is held.
    """

    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.start)

    @classmethod
    def of(cls, runs: Iterable[Run], seconds: Seconds) -> "Runs":
        """Return the runs that a machine recorded, as positions among these seconds.

        One that began before them is left out: what it began with is not among them.
        """
        first_us = seconds.first * MICROSECONDS
        spans = [(run.start_us, run.end_us) for run in runs if run.start_us >= first_us]
        start = [begin // MICROSECONDS - seconds.first for begin, _ in spans]
        end = [
            len(seconds) if over is None else over // MICROSECONDS - seconds.first
            for _, over in spans
        ]
        return cls(np.array(start, np.int64), np.array(end, np.int64))

    @classmethod
    def where(cls, on: Flags) -> "Runs":
        """Return the stretches in which something is on: the runs of a rule without hysteresis."""
        edges = np.diff(on.astype(np.int8), prepend=0, append=0)
        return cls(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1))

    def age(self, count: int) -> Ints:
        """Return how old the run is that stands in each of so many seconds, -1 where none does."""
        begun, change = np.zeros(count, np.int64), np.zeros(count + 1, np.int64)
        begun[self.start] = self.start
        change[self.start] += 1
        change[self.end] -= 1
        stands = np.cumsum(change[:-1]) > 0
        return np.where(stands, np.arange(count) - np.maximum.accumulate(begun), -1)

    def on(self, seconds: Seconds) -> Flags:
        """Return the seconds in state: blind ones, over which a run is held, are not."""
        return (self.age(len(seconds)) >= 0) & seconds.covered


def spike_runs(seconds: Seconds, theta: float, rules: Hysteresis = FROZEN) -> Runs:
    """Return the runs of level 2 under a θs."""

    def over(part: slice, tau_entry: float) -> Flags:
        severe, volatility = seconds.severe[part], seconds.volatility[part]
        found: Flags = rules.spike_is_over(severe, volatility, tau_entry, theta)
        return found

    none = np.zeros(len(seconds), np.bool_)
    search = _Search(seconds, rules.spike_lasting, none, none)
    return search.runs(np.flatnonzero(seconds.severe >= theta), over)


def elevated_runs(
    seconds: Seconds, thresholds: Thresholds, spikes: Runs, rules: Hysteresis = FROZEN
) -> Runs:
    """Return the runs of level 1, given those of level 2 under the same θs."""
    return ElevatedRuns(seconds, thresholds.spike, spikes, rules).under(thresholds.elevated)


class ElevatedRuns:
    """The runs of level 1 beside those of level 2 under one θs, for one θe after the other."""

    __slots__ = ("_rules", "_search", "_seconds", "_severe")

    def __init__(
        self, seconds: Seconds, theta_spike: float, spikes: Runs, rules: Hysteresis = FROZEN
    ) -> None:
        in_spike = spikes.age(len(seconds)) >= 0
        waits = in_spike.copy()
        waits[spikes.end[spikes.end < len(seconds)]] = True  # the wait begins after the change
        kept = in_spike.copy()
        kept[spikes.start] = False
        self._seconds, self._rules = seconds, rules
        self._search = _Search(seconds, rules.elevated_lasting, waits, kept)
        self._severe = seconds.severe >= theta_spike

    def under(self, theta: float) -> Runs:
        """Return the runs under a θe."""
        seconds, rules = self._seconds, self._rules

        def over(part: slice, tau_entry: float) -> Flags:
            smoothed, volatility = seconds.smoothed[part], seconds.volatility[part]
            found: Flags = rules.elevated_is_over(smoothed, volatility, tau_entry, theta)
            return found

        high = (seconds.smoothed >= theta) | self._severe
        return self._search.runs(np.flatnonzero(high), over)


class _Search:
    """Finds the end of one run after the other.

    ``waits``: seconds in which the wait for the exit cannot count; ``kept``: those in which a run
    is kept over blind whatever its own conditions say.
    """

    __slots__ = ("_blind", "_kept", "_lasting", "_resumes", "_seconds", "_waits")

    def __init__(self, seconds: Seconds, lasting: int, waits: Flags, kept: Flags) -> None:
        self._seconds, self._lasting = seconds, lasting
        self._waits, self._kept = waits, kept
        holes = Runs.where(~seconds.covered)
        self._blind, self._resumes = holes.start, holes.end

    def runs(self, entries: npt.NDArray[np.intp], over: Over) -> Runs:
        """Return the runs that begin at the first entry after the one before has ended."""
        starts, ends, end = list[int](), list[int](), 0
        while (at := int(np.searchsorted(entries, end))) < len(entries):
            starts.append(int(entries[at]))
            end = self._end(starts[-1], over)
            ends.append(end)
        return Runs(np.array(starts, np.int64), np.array(ends, np.int64))

    def _end(self, start: int, is_over: Over) -> int:
        count, loud = len(self._seconds), start
        tau = float(self._seconds.tau[start])
        for low in range(start + 1, count, CHUNK):
            part = slice(low, min(count, low + CHUNK))
            over = is_over(part, tau)
            resume, blind = self._dropped(part, over)
            louds = low + np.flatnonzero(~over | self._waits[part])
            louds = np.concatenate(([loud], louds, [part.stop]))
            long = np.flatnonzero(np.diff(louds) > self._lasting)
            quiet = int(louds[long[0]]) + self._lasting if len(long) else count
            if min(quiet, resume) < count:
                return quiet if quiet < resume else blind
            loud = int(louds[-2])
        return self._held_at_last()

    def _dropped(self, part: slice, over: Flags) -> tuple[int, int]:
        """Return the first second after blind that ends a run here, and where blind began."""
        first, last = np.searchsorted(self._resumes, (part.start, part.stop))
        resumes, blind = self._resumes[first:last], self._blind[first:last]
        ends = over[resumes - part.start] & ~self._kept[resumes]
        found = np.flatnonzero(ends | (resumes - blind > KEPT))
        count = len(self._seconds)
        return (int(resumes[found[0]]), int(blind[found[0]])) if len(found) else (count, count)

    def _held_at_last(self) -> int:
        """Return the end of a run that no second with a score ends."""
        count = len(self._seconds)
        if len(self._blind) and self._resumes[-1] == count and count - self._blind[-1] > KEPT:
            return int(self._blind[-1])
        return count


def outcomes(runs: Runs, seconds: Seconds, level: int) -> npt.NDArray[np.str_]:
    """Return the verdict of each run, ``open`` where it is not over, or not for 120 s.

    They are those of ``steps.outcome_of``, array [m].
    """
    reached = seconds.reached(level)
    last = runs.end + AFTER
    is_open = last >= len(seconds)
    stop = np.minimum(last + 1, len(seconds))
    return np.select(
        [
            is_open,
            reached[runs.start],
            _any(reached, runs.start, stop),
            _any(~seconds.covered, runs.start, stop),
        ],
        ["open", "already_there", "true", "cut"],
        "false",
    )


def _any(flags: Flags, start: Ints, stop: Ints) -> Flags:
    """Say of each stretch whether one of its seconds has the flag."""
    counted = np.append(0, np.cumsum(flags))
    return counted[stop] > counted[start]

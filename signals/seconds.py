"""Many predictions as arrays of seconds: what sweeps and evaluations stand on."""

from dataclasses import dataclass, fields
from math import isnan, nan

import numpy as np
import numpy.typing as npt

from signals.rules import DECAY, LONGEST_GAP, is_reached, smooth

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """Predictions of one product and feed in their order, arrays [rows].

    ``second`` is the epoch second. ``score`` and ``severe`` are probabilities, NaN where there is
    none; ``volatility`` (RV60) and ``tau`` are log returns over 60 s. ``after_break``: a Break
    stands between the row and the one before.
    """

    second: Ints
    score: Floats
    severe: Floats
    volatility: Floats
    tau: Floats
    after_break: Flags

    def take(self, at: Ints) -> "Columns":
        """Return the rows at these positions."""
        return Columns(*(getattr(self, field.name)[at] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Seconds:
    """Seconds of one product without a hole between them, arrays [n] from epoch second ``first``.

    Where a second is blind it is not ``covered``, and all values are NaN.
    """

    first: int
    covered: Flags
    smoothed: Floats
    severe: Floats
    volatility: Floats
    tau: Floats

    def __len__(self) -> int:
        return len(self.covered)

    def reached(self, level: int) -> Flags:
        """Return which seconds are at the multiple of τ that a level foresees; blind ones never."""
        found: Flags = is_reached(self.volatility, self.tau, level)
        return found

    @classmethod
    def of(cls, rows: Columns, decay: float = DECAY) -> "Seconds":
        """Return the seconds as the machine steps them; the last one is still under way.

        ``decay`` is what is left of a score after a second. A hole is as many seconds as it is
        long: hand over what lies days apart one by one.
        """
        if not len(rows.second):
            return cls(0, np.zeros(0, np.bool_), *(np.zeros(0) for _ in range(4)))
        begins = np.flatnonzero(np.diff(rows.second, prepend=rows.second[0] - 1))
        last = rows.take(np.append(begins[1:], len(rows.second)) - 1)
        length = np.diff(last.second)
        hole = _is_hole(length, rows.after_break[begins[1:]])
        at = np.repeat(np.arange(len(length)), length)
        own = np.arange(len(at)) == (last.second[:-1] - last.second[0])[at]
        known = ~(np.isnan(last.score) | np.isnan(last.severe) | np.isnan(last.tau))
        covered = known[at] & (own | ~hole[at])
        score, *values = (
            np.where(covered, column[at], nan)
            for column in (last.score, last.severe, last.volatility, last.tau)
        )
        return cls(int(last.second[0]), covered, smoothed(score, decay), *values)


def _is_hole(length: Ints, after_break: Flags) -> Flags:
    """Say which seconds between two rows that are so many apart are blind."""
    return (after_break & (length > 1)) | (length > LONGEST_GAP)


def smoothed(score: Floats, decay: float = DECAY) -> Floats:
    """Return scores of consecutive seconds as the machine smooths them; NaN, blind, begins anew."""
    found: list[float] = []
    before: float | None = None
    for each in score.tolist():
        before = None if isnan(each) else smooth(before, each, decay)
        found.append(nan if before is None else before)
    return np.array(found, np.float64)

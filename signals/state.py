"""The whole state of the machine of one product, as its records carry it."""

import hashlib
from typing import Literal

import msgspec

from signals.row import MICROSECONDS, Row

Mode = Literal["blind", "calm", "elevated", "spike"]
Level = Literal[1, 2]
Cause = Literal["fact", "outlook"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of level 1 (elevated or spike) or of level 2 (spike).

    ``start_us`` is where its first second begins, ``end_us`` where the first after it does, null
    while it lasts, both epoch microseconds. ``tau_entry`` is τ of its first second. Of the level's
    multiple of τ: ``already_there`` says that the first second was at it, ``reached`` that any
    was; ``blinded`` that there was a blind second. ``cause`` is that of level 2.
    """

    signal_id: str
    level: Level
    start_us: int
    tau_entry: float
    cause: Cause | None = None
    already_there: bool = False
    reached: bool = False
    blinded: bool = False
    end_us: int | None = None


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted of a level up to a second; all but the first three only grow.

    ``quiet_seconds`` covered ones in a row were below kτ, ``high`` says that the last was at it,
    and ``onset_us`` is an onset that waits for a run to meet it, -1 without one. In seconds:
    ``reached`` at kτ, with so many ``crossings``; ``in_state``; ``calm`` ones, after which an
    onset may come; ``calm_in_state``; and ``stood``, calm ones in which a run was as old as a
    lead (0, 5, 10, 30, 60 s) or older, up to 900 s.
    """

    quiet_seconds: int = 0
    high: bool = False
    onset_us: int = -1
    reached: int = 0
    crossings: int = 0
    in_state: int = 0
    calm: int = 0
    calm_in_state: int = 0
    stood: tuple[int, ...] = (0, 0, 0, 0, 0)


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted up to a second: ``covered`` ones, and each level's.

    ``volatility`` (RV60) and ``tau`` are that second's (log returns over 60 s), null where it was
    blind or they are not known.
    """

    covered: int = 0
    volatility: float | None = None
    tau: float | None = None
    elevated: Watched = Watched()
    spike: Watched = Watched()

    def of(self, level: Level) -> Watched:
        """Return what was counted of a level."""
        return self.elevated if level == 1 else self.spike


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a machine stands between two predictions.

    ``detail`` is the reason of ``blind``, the cause of ``spike``, else empty; ``since_us`` is when
    mode and detail became what they are, -1 before the first second. ``smoothed`` is the smoothed
    score, null while blind. ``quiet_seconds`` have met the conditions of the exit without a break,
    ``blind_seconds`` were blind without a break. ``elevated`` and ``spike`` are the runs of level 1
    and 2 that last or, while blind, are held; ``ended`` are waiting for their verdict. ``past`` is
    what was counted. ``last`` is the newest row, whose second is under way, at ``offset`` in
    ``predictions``. ``minute`` is the epoch minute of the last record of a minute.
    """

    mode: Mode = "blind"
    detail: str = "start"
    since_us: int = -1
    smoothed: float | None = None
    quiet_seconds: int = 0
    blind_seconds: int = 0
    elevated: Run | None = None
    spike: Run | None = None
    ended: tuple[Run, ...] = ()
    past: Past = Past()
    last: Row | None = None
    offset: int = -1
    minute: int = -1

    @property
    def runs(self) -> tuple[Run, ...]:
        """Return the runs that last or are held, level 1 first."""
        return tuple(run for run in (self.elevated, self.spike) if run is not None)


def signal_id(row: Row, level: Level, second: int) -> str:
    """Make the id of a run from content: where, which level and in which second it began."""
    text = f"{row.feed}\n{row.product_id}\n{level}\n{second * MICROSECONDS}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]

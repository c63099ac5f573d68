"""Seconds with the level that each had then: the service's own slots and level, in one pass."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.level.level import STATUSES, Status
from featurizer.level.levels import Levels
from featurizer.level.records import DAY_SECONDS
from featurizer.level.run import Run
from featurizer.slots import Slot, Timeline
from ingestor.tick import Event
from training.data.thresholds import Flags
from training.external.columns import Numbers, Times

NO_SLOT: Final = -1


@dataclass(frozen=True, slots=True)
class LeveledSeconds:
    """One product's seconds without holes, from the first slot to the last.

    ``second`` is the epoch second; ``log_return`` is against the second before, NaN where there
    is none; ``tau`` (log return over 60 s) is in force for the second's rows, NaN where there is
    no level; ``status`` is a position in ``STATUSES``, ``NO_SLOT`` for a second without a slot.
    ``run_us`` is the event time of the first event.
    """

    second: Times
    log_return: Numbers
    tau: Numbers
    status: npt.NDArray[np.int8]
    run_us: int

    def __len__(self) -> int:
        return len(self.second)

    def has(self, status: Status) -> Flags:
        """Return which seconds have this status."""
        found: Flags = self.status == STATUSES.index(status)
        return found


class _Columns:
    """The columns of the seconds that have a slot, as they close."""

    __slots__ = ("log_return", "second", "status", "tau")

    def __init__(self) -> None:
        self.second, self.status = array("q"), array("b")
        self.tau, self.log_return = array("d"), array("d")

    def begin(self, second: int, tau: float | None, status: Status) -> None:
        self.second.append(second)
        self.tau.append(nan if tau is None else tau)
        self.status.append(STATUSES.index(status))

    def close(self, slot: Slot | None) -> None:
        """Take what is final of a slot once a later second has begun."""
        if slot is not None:
            self.log_return.append(nan if slot.log_return is None else slot.log_return)


def level_seconds(events: Iterable[Event], levels: Levels | None = None) -> LeveledSeconds:
    """Return the seconds of one product's events of one feed; there is at least one Tick or Beat.

    Slots and levels take the events as ``FeatureEngine`` has them do, which makes rows besides.
    """
    levels, columns = levels or Levels(), _Columns()
    timeline: Timeline | None = None
    run: Run | None = None
    for event in events:
        if timeline is None or run is None:
            timeline, run = Timeline(event.feed), levels.begin(event)
        before = timeline.slots.current
        timeline.take(event)
        now = timeline.slots.current
        if now is None or now is before:
            continue
        run.step(before, now.second)
        columns.close(before)
        columns.begin(now.second, run.level.tau, run.level.status)
    columns.close(timeline.slots.current if timeline else None)
    return _without_holes(columns, run.run_us if run else 0)


def _without_holes(columns: _Columns, run_us: int) -> LeveledSeconds:
    second = np.frombuffer(columns.second, np.int64)
    every = np.arange(second[0], second[-1] + 1)
    at = second - second[0]
    status = np.full(len(every), NO_SLOT, np.int8)
    status[at] = np.frombuffer(columns.status, np.int8)
    placed = np.full((2, len(every)), np.nan)
    placed[:, at] = columns.log_return, columns.tau
    return LeveledSeconds(every, placed[0], placed[1], status, run_us)


def volatility_ahead(seconds: LeveledSeconds) -> Numbers:
    """Return each second's volatility of the next 60 s; NaN where one of their returns is missing.

    It is the label of a second's last row (log return over 60 s), of squared one-second returns.
    """
    squares = np.append(seconds.log_return[1:] ** 2, np.full(HORIZON, np.nan))
    ahead = np.lib.stride_tricks.sliding_window_view(squares, HORIZON).sum(axis=1)
    found: Numbers = np.sqrt(ahead[: len(seconds)])
    found[seconds.status == NO_SLOT] = np.nan
    return found


def days_of(seconds: LeveledSeconds) -> Times:
    """Return the UTC day, counted from the epoch, of each second."""
    found: Times = seconds.second // DAY_SECONDS
    return found

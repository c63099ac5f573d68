"""The level τ: above which volatility a minute is wilder than nine tenths of the last day."""

from dataclasses import dataclass
from typing import Final, Literal

from featurizer.level.histogram import Histogram

Status = Literal["established", "provisional", "seeded", "blind", "thin", "overflow"]
STATUSES: Final[tuple[Status, ...]] = (
    "established",
    "provisional",
    "seeded",
    "blind",
    "thin",
    "overflow",
)
HOUR: Final = 3_600
ESTABLISHED: Final = 8 * HOUR
"""Counted seconds that a day's level, or a week's, takes to stand by itself."""
WEEK_SHARE: Final = 0.7
"""A night after wild days is no reason for alarms: below this share of the week's level none is."""
MOST_ZEROS: Final = 5
"""One second in five without any movement is a market too thin for a level."""


@dataclass(frozen=True, slots=True)
class Level:
    """τ (log return over 60 s), None where there is none, and how it is founded."""

    tau: float | None
    status: Status


def level_of(day: Histogram, week: Histogram, seed: float | None) -> Level:
    """Return the level of the last 144 bins, the seven UTC days before and the seed, if any.

    >>> level_of(Histogram(), Histogram(), 5e-4)
    Level(tau=0.0005, status='seeded')
    """
    tau_week = week.p90() if week.n >= ESTABLISHED else None
    if day.n >= HOUR:
        return _of_day(day, tau_week)
    if tau_week is not None:
        return Level(tau_week, "provisional")
    return Level(seed, "blind" if seed is None else "seeded")


def _of_day(day: Histogram, tau_week: float | None) -> Level:
    if MOST_ZEROS * day.zeros > day.n:
        return Level(None, "thin")
    tau_day = day.p90()
    if tau_day is None:
        return Level(None, "overflow")
    tau = tau_day if tau_week is None else max(tau_day, WEEK_SHARE * tau_week)
    return Level(tau, "established" if day.n >= ESTABLISHED else "provisional")

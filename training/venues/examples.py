"""What a model in units of τ learns from and is judged on: windows by τ, and what followed.

In units of its level each venue asks the same question, so that one may learn for another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.level.level import Status
from training.data.thresholds import Flags
from training.external.columns import Numbers, Times
from training.venues.leveled import LeveledSeconds, days_of, volatility_ahead
from training.venues.windows import realized_volatilities, weighted_volatility

SEVERE: Final = 2.0
"""How many τ a severe spike reaches."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Seconds that have a level, a volatility of 60 s and a known next minute.

    ``volatility`` is [n, 4] over 60, 300, 900 and 3600 s (log return), NaN where not known;
    ``weighted`` the exponentially weighted one over 60 s, ``tau`` the level then and ``ahead`` the
    volatility of the next 60 s, in the same unit; ``second`` is the epoch second; ``part`` what is
    drawn and tested as a whole: the UTC day, or the number of the capture.
    """

    name: str
    second: Times
    volatility: Numbers
    weighted: Numbers
    tau: Numbers
    ahead: Numbers
    part: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.second)

    @property
    def spikes(self) -> Flags:
        """Where the next minute reaches τ."""
        return self.ahead >= self.tau

    @property
    def severe(self) -> Flags:
        """Where it reaches twice τ."""
        return self.ahead >= SEVERE * self.tau

    def take(self, at: Flags) -> "Examples":
        """Return the examples at these positions."""
        kept = (getattr(self, name)[at] for name in self.__slots__[1:])
        return Examples(self.name, *kept)

    def numbered(self, part: int) -> "Examples":
        """Return them as one part of this number."""
        return replace(self, part=np.full(len(self), part))

    def thinned(self, seconds: int) -> "Examples":
        """Return those of every so many seconds: neighbours share 59 of 60 returns."""
        return self.take((self.second + 1) % seconds == 0)


def examples_of(
    name: str, seconds: LeveledSeconds, status: Status = "established", *, labelled: bool = True
) -> Examples:
    """Return the examples of a product's seconds of one status, a part for each UTC day.

    Without ``labelled`` there are also those whose next minute is not known: ``ahead`` is NaN.
    """
    volatility, ahead = realized_volatilities(seconds), volatility_ahead(seconds)
    at = seconds.has(status) & ~np.isnan(volatility[:, 0])
    if labelled:
        at &= ~np.isnan(ahead)
    weighted, day = weighted_volatility(seconds), days_of(seconds)
    found = Examples(name, seconds.second, volatility, weighted, seconds.tau, ahead, day)
    return found.take(at)


def joined(name: str, several: Sequence[Examples]) -> Examples:
    """Return the examples of several as one, each part by its number."""
    columns = (
        np.concatenate([getattr(each, column) for each in several])
        for column in Examples.__slots__[1:]
    )
    return Examples(name, *columns)

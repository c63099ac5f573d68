"""The moods of the generated market: how long they last and what follows."""

import math
from dataclasses import dataclass
from random import Random
from typing import Final

NEVER_S: Final = 10**18
BURST_FACTOR: Final = 3.0
"""In a burst, volatility and trades are so many times the mood's."""


@dataclass(frozen=True, slots=True)
class Mood:
    """One mood of a product.

    ``volatility`` is annual, as a fraction; ``lasts_s`` the mean stay in seconds.
    ``spread_steps`` is the mean spread above one step of the price grid.
    ``burst_every_s`` and ``quiet_every_s`` are mean distances in seconds.
    """

    name: str
    volatility: float
    ticks_per_s: float
    trades_per_s: float
    spread_steps: float
    lasts_s: int
    burst_every_s: int
    quiet_every_s: int

    def after_a_second(self, random: Random) -> "Mood":
        """Stay, or go on to another mood."""
        if random.random() >= 1 / self.lasts_s:
            return self
        return random.choice(_NEXT[self.name])

    def burst(self, random: Random) -> int:
        """Begin a burst now and then: its length in seconds, mostly 0."""
        return random.randint(3, 8) if random.random() < 1 / self.burst_every_s else 0

    def quiet(self, random: Random) -> int:
        """Fall silent now and then: for how many seconds, mostly 0."""
        return random.randint(2, 7) if random.random() < 1 / self.quiet_every_s else 0


# Volatilities bracket the captures': 8 % a year in calm ones, 66 % in the wildest 20 minutes.
CALM: Final = Mood("calm", 0.08, 2.5, 1.5, 0.2, 240, 400, 60)
NORMAL: Final = Mood("normal", 0.35, 4.5, 6.0, 0.6, 180, 150, 120)
WILD: Final = Mood("wild", 1.20, 8.0, 25.0, 3.0, 75, 60, 1200)


def mood_at(volatility: float) -> Mood:
    """Return the mood of a volatility that wanders: its rates lie between those of the moods.

    It has no bursts, as jumps are the volatility's, and never ends.

    >>> [round(mood_at(volatility).trades_per_s, 1) for volatility in (0.2, 0.35, 5.0)]
    [3.5, 6.0, 25.0]
    """
    low, high = (CALM, NORMAL) if volatility < NORMAL.volatility else (NORMAL, WILD)
    above = math.log(volatility / low.volatility) / math.log(high.volatility / low.volatility)
    share = min(max(above, 0.0), 1.0)

    def between(least: float, most: float) -> float:
        return math.exp((1 - share) * math.log(least) + share * math.log(most))

    return Mood(
        (high if share >= 0.5 else low).name,
        volatility,
        between(low.ticks_per_s, high.ticks_per_s),
        between(low.trades_per_s, high.trades_per_s),
        between(low.spread_steps, high.spread_steps),
        NEVER_S,
        NEVER_S,
        round(between(low.quiet_every_s, high.quiet_every_s)),
    )


_NEXT: Final = {"calm": [NORMAL], "normal": [CALM, CALM, WILD, WILD], "wild": [NORMAL]}
MOODS_BY_NAME: Final = {mood.name: mood for mood in (CALM, NORMAL, WILD)}

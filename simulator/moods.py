"""The moods of the generated market: how long they last and what follows."""

from dataclasses import dataclass
from random import Random
from typing import Final

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

_NEXT: Final = {"calm": [NORMAL], "normal": [CALM, CALM, WILD, WILD], "wild": [NORMAL]}

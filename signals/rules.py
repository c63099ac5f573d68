"""The numbers of the states, and their conditions: for one second, or for arrays of seconds."""

from dataclasses import dataclass
from typing import Any, Final

DECAY: Final = 0.9885140203528962
"""2^(-1/60), what is left of a score after a second at a half-life of 60 s; a literal, as no two
libraries agree on the last bit."""

LONGEST_GAP: Final = 10
"""Rows of a living product are at most so many seconds apart."""
KEPT: Final = 900
"""Blind seconds over which a run is kept: after more it is another story."""
AFTER: Final = 120
"""Seconds after a run's end that still belong to its verdict."""


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """What ends a run: the conditions of an exit, and for how many seconds running they hold.

    ``…_share`` is of θ: off equal to on would flap, a fifth of the runs under 5 s.
    ``…_volatility`` is of τ at the start of the run. The machine has the defaults, which are
    frozen; a sweep on days of training may ask what others would have given.
    """

    spike_share: float = 0.5
    spike_volatility: float = 1.6
    spike_lasting: int = 60
    elevated_share: float = 0.6
    elevated_volatility: float = 0.8
    elevated_lasting: int = 120

    def spike_is_over(self, severe: Any, volatility: Any, tau_entry: float, theta: float) -> Any:
        """Say whether a second is one of those that end a spike; takes floats or arrays alike.

        ``volatility`` is RV60; NaN, unknown, ends nothing.
        """
        is_low = severe < self.spike_share * theta
        return is_low & (volatility < self.spike_volatility * tau_entry)

    def elevated_is_over(
        self, smoothed: Any, volatility: Any, tau_entry: float, theta: float
    ) -> Any:
        """Say whether a second is one of those that end what is elevated."""
        is_low = smoothed < self.elevated_share * theta
        return is_low & (volatility < self.elevated_volatility * tau_entry)


FROZEN: Final = Hysteresis()


def smooth(before: float | None, score: float, decay: float = DECAY) -> float:
    """Return the smoothed score of a second; the first after a blind one is the score itself.

    >>> smooth(None, 0.5), round(smooth(0.5, 0.1), 6)
    (0.5, 0.495406)
    """
    return score if before is None else decay * before + (1.0 - decay) * score


def is_reached(volatility: Any, tau: Any, level: int) -> Any:
    """Say whether RV60 is at the multiple of τ that a level foresees: τ itself, or twice it."""
    return volatility >= level * tau

"""The numbers of the states, and their conditions: for one second, or for arrays of seconds."""

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

SPIKE_LASTING: Final = 60
ELEVATED_LASTING: Final = 120
"""Seconds running that the conditions of an exit have to hold."""
SPIKE_SHARE: Final = 0.5
ELEVATED_SHARE: Final = 0.6
"""Of θ: below it a run may end. Off equal to on would flap: a fifth of the runs under 5 s."""
SPIKE_VOLATILITY: Final = 1.6
ELEVATED_VOLATILITY: Final = 0.8
"""Of τ at the start of the run: below it a run may end."""


def smooth(before: float | None, score: float) -> float:
    """Return the smoothed score of a second; the first after a blind one is the score itself.

    >>> smooth(None, 0.5), round(smooth(0.5, 0.1), 6)
    (0.5, 0.495406)
    """
    return score if before is None else DECAY * before + (1.0 - DECAY) * score


def spike_is_over(severe: Any, volatility: Any, tau_entry: float, theta: float) -> Any:
    """Say whether a second is one of those that end a spike; takes floats or arrays alike.

    ``volatility`` is RV60; NaN, unknown, ends nothing.
    """
    return (severe < SPIKE_SHARE * theta) & (volatility < SPIKE_VOLATILITY * tau_entry)


def elevated_is_over(smoothed: Any, volatility: Any, tau_entry: float, theta: float) -> Any:
    """Say whether a second is one of those that end what is elevated; takes floats or arrays."""
    return (smoothed < ELEVATED_SHARE * theta) & (volatility < ELEVATED_VOLATILITY * tau_entry)


def is_reached(volatility: Any, tau: Any, level: int) -> Any:
    """Say whether RV60 is at the multiple of τ that a level foresees: τ itself, or twice it."""
    return volatility >= level * tau

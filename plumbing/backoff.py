"""How long to wait before trying again: growing delays with full jitter."""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

HEALTHY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds without end: anything from 0 to a bound that doubles up to ``longest``.

    Full jitter keeps those whom one outage has met from coming back all at once.

    >>> delays = iter(Backoff(0.5, 3.0, draw=max))
    >>> [next(delays) for _ in range(5)]
    [0.5, 1.0, 2.0, 3.0, 3.0]
    """

    first: float = 0.5
    longest: float = 10.0
    draw: Callable[[float, float], float] = random.uniform

    def __iter__(self) -> Generator[float]:
        bound = self.first
        while True:
            yield self.draw(0.0, min(bound, self.longest))
            bound = min(2 * bound, self.longest)


BACKOFF: Final = Backoff()
"""That of all who have no reason for another."""


class Delays:
    """One delay after the other; what lasted for ``healthy`` seconds lets them start afresh."""

    def __init__(self, backoff: Backoff = BACKOFF, healthy: float = HEALTHY_SECONDS) -> None:
        self._backoff, self._healthy = backoff, healthy
        self._left = iter(backoff)

    def __iter__(self) -> Generator[float]:
        while True:
            yield next(self._left)

    def after(self, lasted: float) -> float:
        """Return the delay after work that lasted for so many seconds."""
        if lasted >= self._healthy:
            self._left = iter(self._backoff)
        return next(self._left)

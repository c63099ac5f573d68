"""When which event time is due on the wall: one clock for all connections."""

from dataclasses import dataclass, field
from typing import Final

IDLE_CAP_S: Final = 12.0
"""No wait is longer; readers' watchdogs wait 15 s and more before they give up a socket."""
SECOND_US: Final = 1_000_000


@dataclass(slots=True)
class Pace:
    """Event time runs ``speed`` times as fast as the wall, from ``begin`` on.

    Or ``by_clock``: then each frame is due at its own event time, and the past at once.
    ``now`` is always the wall clock in epoch seconds; event times are epoch microseconds.
    """

    speed: float
    by_clock: bool = False
    idle_cap_s: float = IDLE_CAP_S
    _event_us: int = field(default=0, init=False)
    _next_us: int = field(default=0, init=False)
    _due: float = field(default=0.0, init=False)

    def begin(self, event_us: int, now: float) -> None:
        """Let this event time stand at this moment."""
        self._event_us = self._next_us = event_us
        self._due = now

    def due(self, event_us: int) -> float:
        """Return at which moment the next frame is due; a late one is due with the frame before.

        Never before its own event time on the wall: what has not happened yet cannot be sent.
        """
        self._event_us = self._next_us
        self._next_us = max(event_us, self._event_us)
        wait = (self._next_us - self._event_us) / SECOND_US / self.speed
        wait = 0.0 if self.by_clock else min(wait, self.idle_cap_s)
        self._due = max(self._due + wait, self._next_us / SECOND_US)
        return self._due

    def present(self, now: float) -> int:
        """Return the event time at this moment, between the last frame's and the next one's."""
        early = max(self._due - now, 0.0) * self.speed * SECOND_US
        return max(self._next_us - round(early), self._event_us)

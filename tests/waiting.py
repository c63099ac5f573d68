"""Waiting for an effect, never for a time."""

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 90.0
"""Seconds that a test waits, on a machine of its own, for what must come."""
PAUSE_SECONDS = 0.05

T = TypeVar("T")


def slowness() -> float:
    """Return how many processes want each core, 1 at least: so much longer all may take."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def patience(seconds: float = PATIENCE) -> float:
    """Return how long to wait on a machine as busy as this one is now for what takes seconds."""
    return seconds * slowness()


def eventually(
    condition: Callable[[], T],
    what: str = "it",
    seconds: float = PATIENCE,
    pause: float = PAUSE_SECONDS,
) -> T:
    """Ask again and again until the answer is true, and return it.

    It fails after so many seconds, more where the machine is or becomes busy meanwhile.
    """
    began, longest, pausing = time.monotonic(), patience(seconds), threading.Event()
    while not (found := condition()):
        longest = max(longest, patience(seconds))
        waited = time.monotonic() - began
        assert waited < longest, f"{what}: not within {longest:.0f} s, found {found!r}"
        pausing.wait(pause)
    return found

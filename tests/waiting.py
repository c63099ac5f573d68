"""Waiting for an effect, never for a time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 90.0
"""Seconds that a test waits for what must come: a busy machine is no fault of the product."""
PAUSE_SECONDS = 0.05

T = TypeVar("T")


def eventually(condition: Callable[[], T], what: str = "it", seconds: float = PATIENCE) -> T:
    """Ask again and again until the answer is true, and give it; fails after so many seconds."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s, found {found!r}"
        pause.wait(PAUSE_SECONDS)
    return found

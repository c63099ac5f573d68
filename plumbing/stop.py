"""A wish to end, from a signal or from within."""

import signal
import threading


class Stop:
    """Set once, by SIGTERM, SIGINT or ``request``; never unset."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def install(self) -> "Stop":
        """Let SIGTERM and SIGINT set it; only in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.request())
        return self

    @property
    def requested(self) -> bool:
        """True once the end is wished for."""
        return self._event.is_set()

    def request(self) -> None:
        """Wish for the end."""
        self._event.set()

    def wait(self, timeout: float) -> bool:
        """Wait for at most ``timeout`` seconds; true if the end is wished for."""
        return self._event.wait(timeout)

"""The end of the process: first all clients are sent elsewhere, then the server closes.

Closing idle connections at once would meet requests that are just being sent on them.
"""

import time
from collections.abc import Callable
from types import FrameType

import uvicorn


class Drain:
    """Whether the end has begun: answers say ``Connection: close`` from then on."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._since: float | None = None

    @property
    def begun(self) -> bool:
        """True from the wish to end on."""
        return self._since is not None

    def begin(self) -> None:
        """Begin, once."""
        if self._since is None:
            self._since = self._clock()

    def over(self, connections: int) -> bool:
        """Say whether the server may close: nobody is connected any more, or time is up."""
        if self._since is None:
            return False
        return not connections or self._clock() - self._since >= self._seconds


class DrainingServer(uvicorn.Server):
    """Goes on serving while it drains; a second signal ends that."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; at the next signal close."""
        if self._drain.begun:
            super().handle_exit(sig, frame)
        self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Say whether to close, ten times a second."""
        if self._drain.over(len(self.server_state.connections)):
            self.should_exit = True
        return await super().on_tick(counter)

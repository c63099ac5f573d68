"""An answer that is dear to make is made once for all who ask soon after one another."""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Made = TypeVar("Made")


class Kept(Generic[Key, Made]):
    """What ``make`` returns for a key, in a thread, kept for so many ``seconds``.

    Used in one event loop; one is made at a time.
    """

    def __init__(
        self,
        make: Callable[[Key], Made],
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._seconds, self._clock = make, seconds, clock
        self._kept: dict[Key, tuple[float, Made]] = {}
        self._one = asyncio.Lock()

    async def of(self, key: Key) -> Made:
        """Return it; raises what ``make`` raises, and keeps nothing then."""
        async with self._one:
            began, kept = self._clock(), self._kept.get(key)
            if kept is None or began > kept[0] + self._seconds:
                kept = self._kept[key] = began, await asyncio.to_thread(self._make, key)
            return kept[1]

"""What waits between socket and Kafka, in its order: in memory, and beyond that in a file."""

import asyncio
from collections import deque
from collections.abc import Callable

from ingestor.backlog.spill import Spill
from ingestor.intake import Item, Opened
from plumbing.kafka.outbox import ignored


class Backlog:
    """A queue of items for one reader; ``None`` is the last one.

    ``memory`` of them wait here; what comes then goes to the file, and so does all that comes
    until that is read. Without a file, or where it is full, ``put`` waits: the socket is not read,
    the exchange ends the connection, and what is lost by that is a Break. ``full`` is called each
    time.
    """

    def __init__(
        self, memory: int, spill: Spill | None = None, full: Callable[[], object] = ignored
    ) -> None:
        self._memory, self._spill, self._full = memory, spill, full
        self._items: deque[Item | None] = deque()
        self._opened: Opened | None = None
        self._moved = asyncio.Condition()
        self._ending = False

    def qsize(self) -> int:
        """Return how many wait in memory."""
        return len(self._items)

    def spilled(self) -> int:
        """Return the bytes that wait in the file."""
        return 0 if self._spill is None else self._spill.held

    def empty(self) -> bool:
        """Say whether none waits anywhere."""
        return not self._items and not self.spilled()

    async def put(self, item: Item | None) -> None:
        """Take an item, or the end; waits for room."""
        async with self._moved:
            if item is None:
                self._ending = True
            elif not self._kept(item):
                self._full()
                await self._moved.wait_for(lambda: self._kept(item))
            self._moved.notify_all()

    async def get(self) -> Item | None:
        """Return the oldest item, once there is one; None at the end."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._ending or not self.empty())
            return self.get_nowait()

    def get_nowait(self) -> Item | None:
        """Return the oldest item, None at the end; there is one, or the end was put."""
        if self._items:
            return self._items.popleft()
        return None if self._spill is None else self._spill.take()

    async def settle(self) -> None:
        """Note that all that was got is published."""
        if self._spill is not None:
            self._spill.settle()
        async with self._moved:
            self._moved.notify_all()

    def _kept(self, item: Item) -> bool:
        """Keep an item where there is room for it, behind all others."""
        is_kept = self._kept_in_memory(item) or self._kept_in_file(item)
        if is_kept and isinstance(item, Opened):
            self._opened = item
        return is_kept

    def _kept_in_memory(self, item: Item) -> bool:
        if self.spilled() or len(self._items) >= self._memory:
            return False
        self._items.append(item)
        return True

    def _kept_in_file(self, item: Item) -> bool:
        if self._spill is None:
            return False
        # Whoever reads a file that was left has to know the connection its frames came by.
        known = self._opened is None or not self._spill.empty or self._spill.begin(self._opened)
        return known and self._spill.write(item)

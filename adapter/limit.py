"""How many requests a client may send, counted in this process by the ``limits`` library."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

SWEEP_SECONDS: Final = 60.0


class WindowCounts(Storage):
    """Counts in memory, each window opened by a client's first request.

    The library's own memory storage reads the wall clock and starts a thread for expiry;
    this one has its clock as a parameter and no thread. ``clock`` gives seconds.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[str, tuple[int, float]] = {}
        self._swept = clock()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Nothing here can fail."""
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count a request and give the count of its window."""
        now = self._clock()
        if now - self._swept >= SWEEP_SECONDS:
            self._sweep(now)
        count, ends = self._windows.get(key, (0, now))
        if ends <= now:
            count, ends = 0, now + expiry
        self._windows[key] = (count + amount, ends)
        return count + amount

    def get(self, key: str) -> int:
        """Return the count of the window that is open, or 0."""
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, on the clock's scale."""
        return self._windows.get(key, (0, self._clock()))[1]

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget all; gives how many windows there were."""
        found = len(self._windows)
        self._windows.clear()
        return found

    def clear(self, key: str) -> None:
        """Forget one."""
        self._windows.pop(key, None)

    def _sweep(self, now: float) -> None:
        self._windows = {k: window for k, window in self._windows.items() if window[1] > now}
        self._swept = now


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client has left: ``reset_seconds`` until its window ends, rounded up."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the ``RateLimit-*`` headers, and ``Retry-After`` where the client must wait."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }
        return told if self.allowed else told | {"Retry-After": str(self.reset_seconds)}


class Limit:
    """A limit such as ``100/minute`` for every client.

    Raises:
        ValueError: the limit cannot be read.
    """

    def __init__(self, limit: str, clock: Callable[[], float]) -> None:
        self._item: RateLimitItem = parse(limit)
        self._clock = clock
        self._limiter = FixedWindowRateLimiter(WindowCounts(clock))

    def hit(self, client: str) -> Allowance:
        """Count one request of a client; a refused one does not prolong its wait."""
        allowed = self._limiter.hit(self._item, client)
        ends, remaining = self._limiter.get_window_stats(self._item, client)
        seconds = max(1, ceil(ends - self._clock()))
        return Allowance(allowed, self._item.amount, remaining, seconds)

"""The loop of every stream: open, step by step, close; after an outage begin anew."""

import threading
import time
from collections.abc import Callable
from typing import Protocol, Self

from plumbing.backoff import BACKOFF, Backoff, Delays
from plumbing.kafka.outbox import Outbox, ignored
from plumbing.kafka.patience import passes
from plumbing.logs import get_logger
from plumbing.stop import Stop


class Session(Protocol):
    """One stretch of work with the broker; to open it is to connect."""

    @property
    def ready(self) -> bool:
        """Whether its state is rebuilt; one without a partition has all it needs."""

    def step(self) -> object:
        """Take one batch through: poll, handle, publish, flush, then commit."""

    def close(self) -> None:
        """Let go of the broker; what was not committed is read again by the next one."""


def always(exc: Exception) -> bool:
    """Let any failure pass: others stand in the same process, and go on."""
    return True


class Worker:
    """Sessions one after the other until the end is wished for; the broker may come and go.

    A failure that waiting may mend closes the session, and after a delay the next one begins
    from what is committed; any other ends the work. ``passing`` tells them apart, ``failed``
    is called after each that passes, ``beat`` after each turn. ``pace`` is the shortest time
    from one step to the next, in seconds. ``outbox`` is what its sessions publish by;
    ``explain`` says which broker cannot be reached, and why, "" if none.
    """

    def __init__(
        self,
        name: str,
        open_session: Callable[[], Session],
        stop: Stop,
        *,
        outbox: Outbox | None = None,
        beat: Callable[[], object] = ignored,
        failed: Callable[[], object] = ignored,
        passing: Callable[[Exception], bool] = passes,
        explain: Callable[[], str] = str,
        pace: float = 0.0,
        backoff: Backoff = BACKOFF,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._open, self._stop, self._outbox = name, open_session, stop, outbox
        self._beat, self._failed, self._passing = beat, failed, passing
        self._explain = explain
        self._pace, self._clock, self._delays = pace, clock, Delays(backoff)
        self._session: Session | None = None
        self._opened = clock()
        self._failing = False
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @property
    def connected(self) -> bool:
        """True while a session is open and what it publishes is taken."""
        return self._session is not None and (self._outbox is None or self._outbox.well)

    @property
    def rebuilt(self) -> bool:
        """True while a session is open whose state is rebuilt."""
        session = self._session
        return session is not None and session.ready

    def ready(self) -> dict[str, bool]:
        """Return what the work needs and whether it is there."""
        running = not self._stop.requested
        return {"kafka": self.connected, "state": self.rebuilt, "running": running}

    def run(self) -> None:
        """Work until the end is wished for: the batch under way is finished first."""
        try:
            while not self._stop.requested:
                if pause := self.turn():
                    self._stop.wait(pause)
        finally:
            self.close()

    def turn(self) -> float:
        """Take one step, in a new session where there is none; return the pause after it."""
        began = self._clock()
        try:
            if self._session is None:
                self._session, self._opened = self._open(), self._clock()
            self._session.step()
        except Exception as exc:
            if not self._passing(exc):
                raise
            pause = self._begin_anew(exc)
        else:
            pause = max(0.0, self._pace - (self._clock() - began))
            self._well()
        self._beat()
        return pause

    def close(self) -> None:
        """Close the session and the outbox."""
        self._close_session()
        if self._outbox is not None:
            self._outbox.close()

    # ------------------------------------------------------------ in a thread of its own
    def start(self) -> Self:
        """Work in a thread beside others."""
        self._thread.start()
        return self

    def end(self, timeout: float) -> None:
        """Wish for the end, and wait so many seconds for the thread: the broker may be away."""
        self._stop.request()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def alive(self) -> bool:
        """True while the thread works."""
        return self._thread.is_alive()

    # ------------------------------------------------------------ outages
    def _begin_anew(self, exc: Exception) -> float:
        """Let go of the session: it may have moved on beyond what was not published."""
        lasted = 0.0 if self._session is None else self._clock() - self._opened
        delay = self._delays.after(lasted)
        self._failing = True
        self._failed()
        event, unknown = ("broker.away", False) if passes(exc) else ("worker.failed", True)
        get_logger().error(
            event,
            worker=self._name,
            reason=repr(exc),
            unreachable="" if unknown else self._explain(),
            retry_seconds=round(delay, 3),
            exc_info=unknown,
        )
        self._close_session()
        return delay

    def _well(self) -> None:
        if self._failing:
            self._failing = False
            get_logger().info("broker.back", worker=self._name)

    def _close_session(self) -> None:
        session, self._session = self._session, None
        try:
            if session is not None:
                session.close()
        except Exception as exc:  # it is let go of either way
            get_logger().warning("session.close_failed", worker=self._name, reason=repr(exc))

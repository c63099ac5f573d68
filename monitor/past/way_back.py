"""Reads the page's past back once the monitor is ready, in a thread beside the live path."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from monitor.http.board import Board
from monitor.page.live import Live
from monitor.past.courses import SPANS, Past, Patience, Stopped, past_of
from monitor.reading import LogReader
from plumbing.logs import get_logger
from signals.row import Budget

LOOK_SECONDS: Final = 0.5


class WayBack:
    """Gives ``live`` and ``board`` what stood there before a restart: the hour, then the day.

    ``ready`` says that the state is rebuilt, ``stopped`` that the process ends. What fails is
    told and left out: the page then begins with the start.
    """

    def __init__(
        self,
        open_reader: Callable[[], LogReader],
        budget: Budget,
        live: Live,
        board: Board,
        ready: Callable[[], bool],
        stopped: Callable[[], bool] = bool,
    ) -> None:
        self._open, self._budget = open_reader, budget
        self._live, self._board = live, board
        self._ready, self._stopped = ready, stopped

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Wait until the monitor is ready, read back, and end."""
        while not self._ready():
            await sleep(LOOK_SECONDS)
        patience = Patience(self._stopped)
        try:
            for seconds in SPANS:
                self._adopt(await asyncio.to_thread(self._read, seconds, patience))
        except Stopped:
            get_logger().warning("monitor.history_cut", stopping=self._stopped())
        except Exception:
            get_logger().exception("monitor.history_not_read")

    def _read(self, seconds: int, patience: Patience) -> Past:
        began, reader = time.monotonic(), self._open()
        try:
            past = past_of(reader, self._budget, seconds, patience)
        finally:
            reader.close()
        took = round(time.monotonic() - began, 3)
        get_logger().info("monitor.history_read", span=seconds, rows=past.rows, seconds=took)
        return past

    def _adopt(self, past: Past) -> None:
        self._live.adopt(past.live)
        self._board.recall(past.breaks)

"""A thread for calls that block, so that the event loop goes on."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future


class Courier:
    """One thread that works off calls in order; it never keeps the process from ending."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[None], Callable[[], None]]] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._run, name="courier", daemon=True).start()

    def submit(self, call: Callable[[], None]) -> Future[None]:
        """Have it called; the future tells when it is done and what it raised."""
        future: Future[None] = Future()
        self._calls.put((future, call))
        return future

    def _run(self) -> None:
        while True:
            future, call = self._calls.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                call()
            except BaseException as exc:
                future.set_exception(exc)
            else:
                future.set_result(None)

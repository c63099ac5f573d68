"""A test without the mark ``kafka`` or ``process`` starts no process: one that tries fails."""

import multiprocessing.process
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})
"""The audit events of CPython by which a process starts."""
ASKS_THE_MACHINE = frozenset({"lscpu", "fc-list"})
"""What libraries run, once in a while: joblib counts cores, Matplotlib lists fonts."""


class ProcessStartedError(BaseException):
    """A process was started where none may; no handler of errors on the way catches it."""


class Guard:
    """Refuses processes inside ``forbidding``; made once, as an audit hook stays for ever."""

    def __init__(self) -> None:
        self._forbidden_in: str | None = None
        sys.addaudithook(self._heard)
        # Pools start theirs by a call that is not audited.
        start = multiprocessing.process.BaseProcess.start

        def started(process: Any) -> None:
            self._heard("subprocess.Popen", ())
            start(process)

        multiprocessing.process.BaseProcess.start = started  # type: ignore[method-assign]

    @contextmanager
    def forbidding(self, test: str) -> Iterator[None]:
        """Refuse all processes meanwhile, in the name of a test."""
        self._forbidden_in = test
        try:
            yield
        finally:
            self._forbidden_in = None

    def _heard(self, event: str, arguments: Any) -> None:
        if self._forbidden_in is None or event not in STARTS:
            return
        if not (arguments and arguments[0] in ASKS_THE_MACHINE):
            raise ProcessStartedError(
                f"{self._forbidden_in} starts a process ({event}), expected the mark `process`"
            )

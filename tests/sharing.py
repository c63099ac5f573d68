"""One embedded Kafka for a whole run, also where several workers of pytest-xdist do it."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from local.broker import Broker
from tests.ports import held_port
from tests.waiting import patience

START_SECONDS = 60.0


class SharedBroker:
    """The first to ask starts the broker; it stops it once all others have let go.

    Locks of the file system say who needs it and who starts it, so that a worker that dies holds
    nothing. The broker is a child of the worker that started it and never outlives that.
    """

    def __init__(self, folder: Path, make: Callable[[Path], Broker] | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self._address = folder, folder / "address"
        self._make = make or _broker
        self._needed, self._starting = self._open("needed"), self._open("starting")
        self._own: Broker | None = None

    def obtain(self) -> str:
        """Return host:port of the running broker."""
        fcntl.flock(self._starting, fcntl.LOCK_EX)
        fcntl.flock(self._needed, fcntl.LOCK_SH)  # from here on nobody stops it
        if not self._address.exists():
            self._own = self._make(self._folder / "broker").start()
            self._address.write_text(self._own.bootstrap_servers)
        fcntl.flock(self._starting, fcntl.LOCK_UN)
        return self._address.read_text()

    def release(self) -> None:
        """Let go; who started it waits for the others and stops it."""
        if self._own is not None:
            fcntl.flock(self._needed, fcntl.LOCK_EX)
            self._address.unlink()
            self._own.stop()
            self._own = None
        os.close(self._needed)
        os.close(self._starting)

    def _open(self, lock: str) -> int:
        return os.open(self._folder / lock, os.O_RDWR | os.O_CREAT)


def _broker(folder: Path) -> Broker:
    return Broker(folder, port=held_port(), start_timeout=patience(START_SECONDS))

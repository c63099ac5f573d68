"""Raw capture: every frame as it came, in the wrapped form that recordings are read from."""

import gzip
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from plumbing.logs import get_logger

HOUR_US: Final = 3_600_000_000
SYNC_SECONDS: Final = 2.0
"""What a kill can cost: the frames since the last sync."""


@dataclass(frozen=True, slots=True)
class _Taken:
    data: bytes
    at_us: int
    connection: int


class RawCapture:
    """Writes frames in a thread of its own, one file a connection and hour (of our clock).

    It never makes the caller wait: where writing cannot keep up, or fails, frames are
    left out, and counted by ``dropped``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        written: Callable[[], None],
        dropped: Callable[[], None],
        size: int = 50_000,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._written, self._dropped = written, dropped
        self._queue: queue.Queue[_Taken | None] = queue.Queue(size)
        self._file: gzip.GzipFile | None = None
        self._part = (-1, -1)
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def offer(self, data: bytes, at_us: int, connection: int) -> None:
        """Have a frame written; ``connection`` counts the connections made."""
        try:
            self._queue.put_nowait(_Taken(data, at_us, connection))
        except queue.Full:
            self._dropped()

    def close(self, timeout: float = 10.0) -> None:
        """Write what is left, for at most ``timeout`` seconds."""
        try:
            self._queue.put(None, timeout=timeout)
        except queue.Full:
            get_logger().error("capture.unwritten", frames=self._queue.qsize())
            return
        self._thread.join(timeout)

    def _run(self) -> None:
        synced = time.monotonic()
        while True:
            try:
                taken = self._queue.get(timeout=SYNC_SECONDS)
            except queue.Empty:
                taken = _NOTHING
            if taken is None:
                break
            try:
                self._write(taken)
                if time.monotonic() - synced >= SYNC_SECONDS:
                    synced = time.monotonic()
                    self._sync()
            except OSError as exc:
                self._give_up(taken, exc)
        self._shut()

    def _write(self, taken: _Taken) -> None:
        if taken is _NOTHING:
            return
        part = (taken.connection, taken.at_us // HOUR_US)
        if self._file is None or part != self._part:
            self._shut()
            self._file, self._part = gzip.GzipFile(self._path(taken.at_us), "xb"), part
        self._file.write(line(taken.data, taken.at_us))
        self._written()

    def _path(self, at_us: int) -> Path:
        moment = datetime.fromtimestamp(at_us / 1_000_000, UTC)
        return self._folder / f"advanced_{moment:%Y%m%dT%H%M%S.%f}Z.ndjson.gz"

    def _sync(self) -> None:
        if self._file is not None:
            self._file.flush()

    def _shut(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _give_up(self, taken: _Taken, exc: OSError) -> None:
        get_logger().error("capture.failed", folder=str(self._folder), reason=repr(exc))
        if taken is not _NOTHING:
            self._dropped()
        self._file = None


_NOTHING: Final = _Taken(b"", 0, -1)


def line(data: bytes, at_us: int) -> bytes:
    """Return one line: ``{"ingest_time": …, "payload": <frame>}``; what is not JSON as a string."""
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    ingest_time = f"{moment:%Y-%m-%dT%H:%M:%S}.{at_us % 1_000_000:06d}+00:00"
    return b'{"ingest_time":"%s","payload":%s}\n' % (ingest_time.encode(), _payload(data))


def _payload(data: bytes) -> bytes:
    try:
        msgspec.json.decode(data)
        return msgspec.json.format(data, indent=-1) if b"\n" in data else data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.encode(data.decode(errors="replace"))

"""Raw capture: every frame as it came, in the wrapped form that recordings are read from."""

import os
import queue
import threading
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from plumbing.logs import get_logger

HOUR_US: Final = 3_600_000_000
SYNC_SECONDS: Final = 2.0
"""What a kill can cost: the frames since the last sync."""
MOST_BYTES: Final = 4 << 20
"""So many bytes wait for a sync; then it comes earlier."""


class _Taken(NamedTuple):
    data: bytes
    at_us: int
    connection: int


class RawCapture:
    """Writes frames in a thread of its own, one file a connection and hour (of our clock).

    It never makes the caller wait: where writing cannot keep up, or fails, frames are
    left out, each told to ``dropped``; ``written`` is called for each that is on the disk.
    A disk that is full costs the frames of that time: it goes on, in the same file, by itself.
    """

    def __init__(
        self,
        folder: Path,
        *,
        written: Callable[[], object],
        dropped: Callable[[], object],
        size: int = 50_000,
        sync_seconds: float = SYNC_SECONDS,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._sync_seconds = folder, sync_seconds
        self._written, self._dropped = written, dropped
        self._queue: queue.Queue[_Taken | None] = queue.Queue(size)
        self._file: _GzipFile | None = None
        self._path, self._part = folder, (-1, -1)
        self._lines: list[bytes] = []
        self._bytes, self._due, self._stopped = 0, 0.0, False
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
        open_ = True
        while open_:
            try:
                wait = max(0.0, self._due - time.monotonic()) if self._lines else None
                taken = self._queue.get(timeout=wait)
                open_ = taken is not None
                if taken is not None:
                    self._add(taken)
            except queue.Empty:
                pass
            if self._bytes >= MOST_BYTES or time.monotonic() >= self._due:
                self._sync()
        self._shut()

    def _add(self, taken: _Taken) -> None:
        part = (taken.connection, taken.at_us // HOUR_US)
        if part != self._part:
            self._shut()
            self._path, self._part = self._path_at(taken.at_us), part
        if not self._lines:
            self._due = time.monotonic() + self._sync_seconds
        self._lines.append(line(taken.data, taken.at_us))
        self._bytes += len(self._lines[-1])

    def _path_at(self, at_us: int) -> Path:
        moment = datetime.fromtimestamp(at_us / 1_000_000, UTC)
        return self._folder / f"advanced_{moment:%Y%m%dT%H%M%S.%f}Z.ndjson.gz"

    def _sync(self) -> None:
        lines, self._lines, self._bytes = self._lines, [], 0
        if not lines:
            return
        failure: OSError | None = None
        count = self._written
        try:
            self._file = self._file or _GzipFile(self._path)
            self._file.append(b"".join(lines))
        except OSError as exc:
            count, failure = self._dropped, exc
        for _ in lines:
            count()
        self._tell(failure)

    def _shut(self) -> None:
        self._sync()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _tell(self, exc: OSError | None) -> None:
        """Say once that it stopped, and once that it goes on."""
        stopped, self._stopped = self._stopped, exc is not None
        folder = str(self._folder)
        if exc is not None and not stopped:
            get_logger().error("capture.stopped", folder=folder, reason=repr(exc))
        if exc is None and stopped:
            get_logger().warning("capture.goes_on", folder=folder)


class _GzipFile:
    """One gzip stream on the disk, whole up to the last ``append`` whatever happened since."""

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._size = 0
        self._packer = zlib.compressobj(wbits=31)

    def append(self, data: bytes) -> None:
        """Have the data on the disk.

        Raises:
            OSError: it is not; the file ends where it did before.
        """
        packer = self._packer.copy()
        self._write(packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))
        self._packer = packer

    def close(self) -> None:
        """Write the end; without room for it, a reader takes what is there."""
        try:
            self._write(self._packer.flush())
        except OSError as exc:
            get_logger().warning("capture.end_missing", reason=repr(exc))
        os.close(self._number)

    def _write(self, data: bytes) -> None:
        at = 0
        try:
            while at < len(data):
                at += os.write(self._number, data[at:])
            os.fsync(self._number)
        except OSError:
            os.ftruncate(self._number, self._size)
            os.lseek(self._number, self._size, os.SEEK_SET)
            raise
        self._size += at


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

"""A bounded file of what waits for Kafka, read in the order it was written.

Records are msgpack behind their length in four bytes; a file beside it says how far they were
taken. What a killed process left is read by the next one: all that was not settled, some of it
perhaps published already, and the connection it came by before it.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

import msgspec

from ingestor.intake import Item, Opened, Received, Silent
from plumbing.logs import get_logger

FILE: Final = "spill"
SETTLED: Final = "spill.settled"
KILLED: Final = "killed before all was published"


class SpillError(SystemExit):
    """The folder cannot be used; the process ends with these words."""


item_of: Final = msgspec.msgpack.Decoder(Opened | Received | Silent).decode
_encode: Final = msgspec.msgpack.Encoder().encode


def packed(item: Item) -> bytes:
    """Return an item as the file has it.

    >>> [item_of(packed(item)[4:]) for item in (Received(b"{}", 7), Silent(8, 15.0))]
    [Received(data=b'{}', at_us=7), Silent(at_us=8, seconds=15.0, reason='')]
    """
    body = _encode(item)
    return len(body).to_bytes(4, "big") + body


class Spill:
    """The file of one process; another that wants the folder is refused.

    What an earlier one left is taken first.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Open what is there, and lock it; raises ``SpillError``."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._marks = os.open(folder / SETTLED, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise SpillError(
                f"error: INGESTOR_SPILL_DIR: {folder}: {exc.strerror}, "
                "expected a folder that this process alone may write"
            ) from exc
        self._most, self._refused = most_bytes, False
        self._taken = self._settled = int.from_bytes(os.pread(self._marks, 8, 0), "big")
        self._opened: Opened | None = None
        self._end = self._recovered(os.fstat(self._file).st_size)

    @property
    def held(self) -> int:
        """Bytes that were not taken."""
        return self._end - self._taken

    @property
    def empty(self) -> bool:
        """Say whether nothing stands in the file, taken or not."""
        return not self._end

    def begin(self, opened: Opened) -> bool:
        """Write the connection of what follows, which was published already; false for no room."""
        if not self.write(opened):
            return False
        self._taken = self._end
        self._settle_at(self._taken)
        return True

    def write(self, item: Item) -> bool:
        """Append an item; false where there is no room, in the file or on the disk."""
        data = packed(item)
        if self._end + len(data) > self._most:
            return False
        try:
            done = os.pwrite(self._file, data, self._end)
        except OSError as exc:
            return self._no_room(exc.strerror or repr(exc))
        if done < len(data):
            return self._no_room(f"{done} of {len(data)} bytes were written")
        self._end += len(data)
        self._refused = False
        return True

    def take(self) -> Item | None:
        """Return the oldest item that was not taken, None where there is none."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            return opened
        if not self.held:
            return None
        size = int.from_bytes(os.pread(self._file, 4, self._taken), "big")
        item: Item = item_of(os.pread(self._file, size, self._taken + 4))
        self._taken += 4 + size
        return item

    def settle(self) -> None:
        """Note that all that was taken is published; an empty file begins anew."""
        if self._settled == self._taken:
            return
        if self.held:
            self._settle_at(self._taken)
            return
        # In this order: killed in between, nothing is left, or what is left begins anew.
        os.ftruncate(self._file, 0)
        self._taken = self._end = 0
        self._settle_at(0)

    def close(self) -> None:
        """Let go of the files; what was not settled stays in them."""
        os.close(self._file)
        os.close(self._marks)

    def _settle_at(self, at: int) -> None:
        self._settled = at
        os.pwrite(self._marks, at.to_bytes(8, "big"), 0)

    def _no_room(self, reason: str) -> bool:
        if not self._refused:
            get_logger().error("spill.not_written", reason=reason)
        self._refused = True
        return False

    def _recovered(self, size: int) -> int:
        """Return where whole records end, and remember the connection of those that are left."""
        at, last = 0, None
        while at + 4 <= size:
            length = int.from_bytes(os.pread(self._file, 4, at), "big")
            if at + 4 + length > size:
                break
            try:
                item = item_of(os.pread(self._file, length, at + 4))
            except msgspec.DecodeError:
                break
            if isinstance(item, Opened) and at < self._settled:
                last = item
            at += 4 + length
        self._taken = self._settled = min(self._settled, at)
        if at > self._taken:
            get_logger().warning("spill.left", bytes=at - self._taken, torn=size - at)
            self._opened = None if last is None else Opened(last.feed, last.at_us, KILLED)
        return at

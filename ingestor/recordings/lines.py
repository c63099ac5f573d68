"""The lines of a recording as crashes, editors and other recorders leave them.

Plain or gzip (also several in a row), with or without a byte order mark, CRLF, or one JSON array.
A missing end is an end; lines that cannot be used are skipped and counted.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

SHARE: Final = 0.05
"""A file of which more lines than this, and more than ``FEW``, cannot be used is refused."""
FEW: Final = 3
HOPELESS: Final = 1_000
"""After so many such lines, and hardly others, the rest is not read."""
CHUNK: Final = 1 << 18
_MARK: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_BETWEEN: Final = " \t\r\n,[]"


class RecordingError(Exception):
    """A recording cannot be read; the message says where, what was found and what expected."""


class ForeignRecording(RecordingError):
    """It is of another dialect than Advanced Trade."""


class ForeignDialect(ValueError):
    """A line of another dialect than Advanced Trade."""


def no_progress(size: int) -> None:
    """Tell nobody."""


class RecordedLines:
    """A recording's lines, once, and what was skipped.

    ``number`` (from 1) and ``line`` are those of the last line given; ``told`` is called with
    the bytes of the file that were read. ``source`` gives the content of what is no file of lines.
    """

    def __init__(
        self,
        path: Path,
        told: Callable[[int], object] = no_progress,
        source: Callable[[], Iterable[bytes]] | None = None,
    ) -> None:
        self._path, self._told, self._source = path, told, source
        self.number, self.line, self.skipped = 0, b"", 0
        self._first = ""
        self._unended = False
        self._end: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Give the lines one by one, each before the next is read.

        Raises:
            RecordingError: the file cannot be opened or read.
        """
        try:
            for line in self._lines():
                self.number, self.line = self.number + 1, line
                yield line
        except OSError as exc:
            raise RecordingError(
                f"{self._path}: {exc}; expected a readable file, plain or gzip"
            ) from exc

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: where the end is missing, how many lines were skipped."""
        found = [] if self._end is None else [self._end]
        if self.skipped:
            found.append(f"{self.skipped} of {self.number} lines skipped, the first: {self._first}")
        return tuple(found)

    def refuse(self, reason: str | Exception) -> None:
        """Skip the line given last; a last one that was cut off is the end.

        Raises:
            RecordingError: it is of another dialect, as all before, or nearly all are bad.
        """
        if self._unended:
            self._end = self._end or f"the end is missing: line {self.number} is cut off"
            return
        self.skipped += 1
        if self.skipped == 1:
            found = self.line[:120].decode(errors="replace").strip()
            self._first = f"line {self.number}: {reason}; found {found!r}"
        if isinstance(reason, ForeignDialect) and self.skipped == self.number:
            raise ForeignRecording(f"{self._path.name}, {self._first}")
        if self.skipped >= HOPELESS and 2 * self.skipped > self.number:
            raise self._refused()

    def finish(self) -> None:
        """Decide by all lines.

        Raises:
            RecordingError: all lines, or more than ``SHARE`` and ``FEW``, cannot be used.
        """
        few = self.skipped <= max(FEW, SHARE * self.number)
        if self.skipped and (not few or self.skipped == self.number):
            raise self._refused()

    def _refused(self) -> RecordingError:
        return RecordingError(
            f"{self._path.name}, {self._first}, expected one frame or ticker of Advanced Trade as"
            f" a JSON object; so with {self.skipped} of {self.number} lines read, expected at most"
            f" {SHARE:.0%}"
        )

    # ------------------------------------------------------------ bytes to lines
    def _lines(self) -> Iterator[bytes]:
        if self._source is not None:
            yield from self._source()
            return
        with self._path.open("rb") as file:
            pieces = self._unpacked(file)
            first = next(pieces, b"").removeprefix(_MARK)
            if first.lstrip().startswith(b"["):
                yield from self._elements(b"".join([first, *pieces]))
            else:
                yield from self._split(first, pieces)

    def _split(self, rest: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        *whole, rest = rest.split(b"\n")
        yield from whole
        if rest:
            self._unended = True
            yield rest

    def _elements(self, data: bytes) -> Iterator[bytes]:
        """Give the elements of an array; what follows the last whole one is cut off."""
        text, at, decoder = data.decode("utf-8", "replace"), 0, json.JSONDecoder()
        while True:
            while at < len(text) and text[at] in _BETWEEN:
                at += 1
            if at == len(text):
                return
            try:
                end = decoder.raw_decode(text, at)[1]
            except (ValueError, RecursionError):
                self._unended, end = True, len(text)
            yield text[at:end].encode()
            at = end

    def _unpacked(self, file: BinaryIO) -> Iterator[bytes]:
        """Give what can be read: of a gzip without end, or damaged, all that comes before."""
        data = self._read(file)
        if not data.startswith(_GZIP):
            while data:
                yield data
                data = self._read(file)
            return
        unpacking = zlib.decompressobj(wbits=31)
        while data:
            try:
                yield unpacking.decompress(data)
            except zlib.error as exc:
                self._end = f"the gzip is damaged ({exc}): what comes before is read"
                return
            data = unpacking.unused_data.lstrip(b"\0") or self._read(file)
            if unpacking.eof and data:
                unpacking = zlib.decompressobj(wbits=31)
        if not unpacking.eof:
            self._end = "the gzip has no end: what was written before is read"

    def _read(self, file: BinaryIO) -> bytes:
        data = file.read(CHUNK)
        self._told(len(data))
        return data

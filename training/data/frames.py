"""What a recording says, message by message: the file is parsed once, whatever form it has.

The messages are those of ``ingestor.recordings.recording.read_frames``, which the simulator
replays; where the recording has heartbeats of its own, its lines already are the frames.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from ingestor.advanced import CHANNELS, Message, parse
from ingestor.recordings.formats import Entry, RecordingError
from ingestor.recordings.formats import parse as entries_of
from ingestor.recordings.recording import numbered, with_heartbeats
from training.data.progress import Progress

STEP: Final = 1 << 18
"""Progress is told after so many bytes of the file."""
NEVER_AHEAD_US: Final = 2**62
"""A recording's frames are held against no receive clock."""


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One message, its frame as JSON, and the line of the file it stands in, from 1.

    A heartbeat that was made anew stands in the line after it.
    """

    message: Message
    frame: bytes
    number: int
    line: bytes


def messages(path: Path, progress: Progress) -> Iterator[RecordedFrame]:
    """Return the messages of a recording on one connection.

    Raises:
        RecordingError: a line is no frame of Advanced Trade, or the file cannot be read.
    """
    try:
        lines = _Lines(path, progress)
        if _has_heartbeats(path):
            yield from _own(lines, path.name)
        else:
            yield from _renewed(lines, path.name)
    except (OSError, EOFError, zlib.error) as exc:
        raise RecordingError(f"{path}: {exc}; expected a readable file, plain or gzip") from exc


def _renewed(lines: "_Lines", name: str) -> Iterator[RecordedFrame]:
    """Read a recording that needs heartbeats: frames are made anew, as for a replay."""
    entries = (replace(entry, lost=0) for entry in entries_of(lines, name))
    for frame in numbered(with_heartbeats(entries)):
        yield RecordedFrame(parse(frame.data, NEVER_AHEAD_US), frame.data, lines.number, lines.line)


def _own(lines: "_Lines", name: str) -> Iterator[RecordedFrame]:
    """Read a recording with heartbeats: each line's frame is understood as it stands."""
    numbers = _Numbers()
    for line in lines:
        found = _frame_of(line, lines.number, name)
        if found is None:
            continue
        head, frame = found
        numbers.count(head.sequence_num)
        if head.channel in CHANNELS:
            message, sequence = parse(frame, NEVER_AHEAD_US), numbers.next()
            if message.sequence != sequence:
                message = replace(message, sequence=sequence)
            yield RecordedFrame(message, frame, lines.number, line)


@dataclass(slots=True)
class _Numbers:
    """Numbers frames as one connection would, with a hole for what was lost in between.

    All frames are counted, also of channels that are not read; a number that does not grow
    begins another connection.
    """

    before: int = -1
    lost: int = 0
    restarted: bool = False
    given: int = -1

    def count(self, number: int) -> None:
        if number >= 0 and self.before >= 0:
            self.lost += max(number - self.before - 1, 0)
            self.restarted |= number <= self.before
        self.before = number

    def next(self) -> int:
        self.given += 1 + max(self.lost, int(self.restarted))
        self.lost, self.restarted = 0, False
        return self.given


class _Head(msgspec.Struct):
    """What is read of a frame before it is understood."""

    channel: str | None = None
    sequence_num: int = -1
    payload: msgspec.Raw = msgspec.Raw(b"")


_heads = msgspec.json.Decoder(_Head)


def _frame_of(line: bytes, number: int, name: str) -> tuple[_Head, bytes] | None:
    """Unwrap a line; None where it is blank or an error frame, which carries no market."""
    try:
        head, frame = _heads.decode(line), line
        if head.payload:
            frame = bytes(head.payload)
            head = _heads.decode(frame)
        if head.channel is not None:
            return head, frame
    except msgspec.DecodeError:
        pass
    return _otherwise(line, number, name)


def _otherwise(line: bytes, number: int, name: str) -> tuple[_Head, bytes] | None:
    """Take a line of another form as a replay would; a refusal says which line it was."""
    numbered_lines = chain(repeat(b"\n", number - 1), [line])
    entries: list[Entry] = list(entries_of(numbered_lines, name))
    if not entries:
        return None
    frame = msgspec.json.encode(entries[0].envelope)
    return _heads.decode(frame), frame


class _Lines:
    """The lines of a file, remembering the last one given and its number, from 1."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path, self._progress = path, progress
        self.number, self.line = 0, b""

    def __iter__(self) -> Iterator[bytes]:
        told = 0
        with self._path.open("rb") as file:
            for line in _unpacked(file):
                self.number += 1
                self.line = line
                if self.number % 512 == 0 and file.tell() - told >= STEP:
                    self._progress.advance(file.tell() - told)
                    told = file.tell()
                yield line
            self._progress.advance(file.tell() - told)


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not packed:
        yield from file
        return
    with gzip.open(file) as lines:
        yield from cast(Iterable[bytes], lines)


def _has_heartbeats(path: Path) -> bool:
    """Look for a frame of the channel; most lines are only searched for the word."""
    with path.open("rb") as file:
        for line in _unpacked(file):
            if b"heartbeats" in line and _is_heartbeat(line):
                return True
    return False


def _is_heartbeat(line: bytes) -> bool:
    try:
        return any(entry.envelope.channel == "heartbeats" for entry in entries_of([line], ""))
    except RecordingError:
        return False  # the reading itself names line and reason

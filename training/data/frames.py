"""What a recording says, message by message: the file is parsed once, whatever form it has.

The messages are those of ``ingestor.recordings.recording.read_frames``, which the simulator
replays; where the recording has heartbeats of its own, its lines already are the frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from ingestor.advanced import CHANNELS, Message, parse
from ingestor.recordings.formats import UNUSABLE, envelope_of
from ingestor.recordings.formats import parse as entries_of
from ingestor.recordings.lines import RecordedLines
from ingestor.recordings.recording import numbered, with_heartbeats

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


def messages(lines: RecordedLines, again: RecordedLines) -> Iterator[RecordedFrame]:
    """Return the messages of a recording on one connection; ``again`` are its lines once more.

    Raises:
        RecordingError: too many lines are no frame of Advanced Trade, or the file is unreadable.
    """
    yield from _own(lines) if _has_heartbeats(again) else _renewed(lines)
    lines.finish()


def _renewed(lines: RecordedLines) -> Iterator[RecordedFrame]:
    """Read a recording that needs heartbeats: frames are made anew, as for a replay."""
    entries = (replace(entry, lost=0) for entry in entries_of(lines, lines.refuse))
    for frame in numbered(with_heartbeats(entries)):
        yield RecordedFrame(parse(frame.data, NEVER_AHEAD_US), frame.data, lines.number, lines.line)


def _own(lines: RecordedLines) -> Iterator[RecordedFrame]:
    """Read a recording with heartbeats: each line's frame is understood as it stands."""
    numbers = _Numbers()
    for line in lines:
        try:
            found = _frame_of(line)
        except UNUSABLE as exc:
            lines.refuse(exc)
            continue
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
    timestamp: str | None = None
    sequence_num: int = -1
    payload: msgspec.Raw = msgspec.Raw(b"")


_heads = msgspec.json.Decoder(_Head)


def _frame_of(line: bytes) -> tuple[_Head, bytes] | None:
    """Unwrap a line; None where it is blank or an error frame, which carries no market."""
    try:
        head, frame = _heads.decode(line), line
        if head.payload:
            frame = bytes(head.payload)
            head = _heads.decode(frame)
        if head.channel is not None and head.timestamp is not None:
            return head, frame
    except msgspec.DecodeError:
        pass
    envelope = envelope_of(line)
    if envelope is None:
        return None
    frame = msgspec.json.encode(envelope)
    return _heads.decode(frame), frame


def _has_heartbeats(lines: RecordedLines) -> bool:
    """Look for a frame of the channel; most lines are only searched for the word."""
    return any(b"heartbeats" in line and _is_heartbeat(line) for line in lines)


def _is_heartbeat(line: bytes) -> bool:
    try:
        found = envelope_of(line)
    except UNUSABLE:
        return False  # the reading itself counts it
    return found is not None and found.channel == "heartbeats"

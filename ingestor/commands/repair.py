"""Which dead letters the present reader accepts: their frames, in event time, feed by feed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingestor.advanced import CHANNELS, Heartbeat, Quotes, Trades, parse
from ingestor.dead_letter import DeadLetter, decode
from ingestor.skew import AHEAD_US

SOURCE: Final = "ingestor"
"""Only its letters hold frames; those of other services hold records."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """One frame that is accepted now; times are epoch microseconds, ``time_us`` its own."""

    time_us: int
    received_us: int
    data: bytes


@dataclass(slots=True)
class Repairs:
    """Frames by feed, each once, and why letters were not taken; a frame may have had several."""

    frames: dict[str, set[Repaired]] = field(default_factory=dict)
    taken: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def ordered(self, feed: str) -> list[Repaired]:
        """Return a feed's frames in order of event time."""
        return sorted(self.frames[feed], key=lambda f: (f.time_us, f.received_us, f.data))


def repairs(records: Iterable[bytes]) -> Repairs:
    """Try each letter of ``dead-letters`` again, as the reader of today reads."""
    found = Repairs()
    for record in records:
        try:
            letter = decode(record)
        except msgspec.DecodeError:
            found.refused["letter that cannot be read"] += 1
            continue
        frame = _frame(letter)
        if isinstance(frame, str):
            found.refused[frame] += 1
        else:
            found.taken += 1
            found.frames.setdefault(letter.feed, set()).add(frame)
    return found


def _frame(letter: DeadLetter) -> Repaired | str:
    """Return the frame of a letter, or why there is none to be used."""
    if letter.source != SOURCE or letter.topic is not None:
        return f"record of {letter.source}, not a frame"
    data = letter.raw.encode()
    if len(data) != letter.raw_bytes or "\ufffd" in letter.raw:
        return "frame that is not kept whole"
    message = parse(data, letter.received_us)
    if message.problems:
        return f"still refused: {' '.join(message.problems[0].reason.split()[:2])}"
    if message.time_us is None or not isinstance(message.content, Quotes | Trades | Heartbeat):
        return f"frame of no channel among {', '.join(CHANNELS)}"
    if message.time_us > letter.received_us + AHEAD_US:
        return "time ahead of the receive clock"
    return Repaired(message.time_us, letter.received_us, data)

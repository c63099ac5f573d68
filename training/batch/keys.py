"""The keys of one product's events as columns, and the events of those few that matter.

What a second becomes follows from the keys of all its events and the quote of its last one, so
the others are never read in whole.
"""

import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from featurizer.slots import MICROSECONDS
from ingestor.tick import Beat, Break, Event, Tick, decode
from training.batch.columns import Flags, Ints

TICK: Final = 0
BEAT: Final = 1
BREAK: Final = 2
CHUNK: Final = 1 << 22
"""Bytes of lines that are keys at once."""

Fetch: TypeAlias = Callable[[Sequence[int]], list[Event]]


class _Key(msgspec.Struct, gc=False):
    kind: Literal["tick", "beat", "break"]
    time_us: int
    trade_id: int | None = None


_keys: msgspec.json.Decoder[_Key] = msgspec.json.Decoder(_Key)
_KINDS: Final = {"tick": TICK, "beat": BEAT, "break": BREAK}
_CLASSES: Final[dict[type, int]] = {Tick: TICK, Beat: BEAT, Break: BREAK}


@dataclass(frozen=True)
class Keys:
    """Kind, time (epoch microseconds) and trade id, 0 for none, of events in their order."""

    kind: npt.NDArray[np.int8]
    time_us: Ints
    trade_id: Ints

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def second(self) -> Ints:
        """Return the epoch second of each."""
        return self.time_us // MICROSECONDS

    def are(self, kind: int) -> Flags:
        """Return which are of a kind."""
        found: Flags = self.kind == kind
        return found


def keys_of(events: Sequence[Event]) -> Keys:
    """Return the keys of events."""
    count = len(events)
    return Keys(
        np.fromiter((_CLASSES[type(event)] for event in events), np.int8, count),
        np.fromiter(map(attrgetter("time_us"), events), np.int64, count),
        np.fromiter((e.trade_id or 0 if type(e) is Tick else 0 for e in events), np.int64, count),
    )


def fetch_of(events: Sequence[Event]) -> Fetch:
    """Return what gives the events at some places."""
    return lambda at: [events[k] for k in at]


def read_keys(path: Path, size: int = CHUNK) -> tuple[Keys, Fetch]:
    """Return the keys of a file's events, a line each, and what reads some events in whole."""
    parts, ends = list[Keys](), [np.zeros(1, np.int64)]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        for begin, chunk in _chunks(lines, size):
            parts.append(_columns(_keys.decode_lines(chunk)))
            ends.append(begin + 1 + np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")))
    begins = np.concatenate(ends)
    return _joined(parts), lambda at: [*_whole(path, begins, at)]


def _chunks(lines: mmap.mmap, size: int) -> Iterator[tuple[int, bytes]]:
    """Give whole lines, each ended, about ``size`` bytes at once, and where they begin."""
    begin = 0
    while begin < len(lines):
        end = lines.find(b"\n", min(begin + size, len(lines)) - 1) + 1
        yield begin, lines[begin:end]
        begin = end


def _columns(found: list[_Key]) -> Keys:
    count = len(found)
    return Keys(
        np.fromiter((_KINDS[key.kind] for key in found), np.int8, count),
        np.fromiter(map(attrgetter("time_us"), found), np.int64, count),
        np.fromiter((key.trade_id or 0 for key in found), np.int64, count),
    )


def _joined(parts: Iterable[Keys]) -> Keys:
    columns = zip(*((part.kind, part.time_us, part.trade_id) for part in parts), strict=True)
    return Keys(*map(np.concatenate, columns))


def _whole(path: Path, begins: Ints, at: Sequence[int]) -> Iterator[Event]:
    places = np.array(at, np.int64)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        for begin, end in zip(begins[places].tolist(), begins[places + 1].tolist(), strict=True):
            yield decode(lines[begin:end])

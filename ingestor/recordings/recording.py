"""A recording of Advanced Trade as one stream of whole frames, whatever form it was kept in.

What is replayed and what models are trained on are these same frames.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from ingestor.instant import SECOND_US, text_of
from ingestor.recordings.formats import Entry, Envelope, TradesEvent, parse
from ingestor.recordings.lines import RecordedLines
from ingestor.recordings.lines import RecordingError as RecordingError

SILENCE_US: Final = 10 * SECOND_US
"""Longer than this without a sign of life, nobody can say that the feed was alive."""
DIGEST_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole Advanced Trade frame as JSON; ``time_us`` is its own time (epoch microseconds)."""

    time_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recording holds.

    ``sha256`` is the hex digest of the file as it lies there.
    ``tickers`` counts ticker messages by product; ``first_us`` and ``last_us`` are event times.
    ``has_sizes`` says that every ticker has both sizes. ``notes`` say what is missing or skipped.
    """

    name: str
    sha256: str
    products: tuple[str, ...]
    tickers: Mapping[str, int]
    first_us: int
    last_us: int
    has_sizes: bool
    notes: tuple[str, ...] = ()


def read_frames(path: Path) -> Iterator[Frame]:
    """Return the frames of a recording in its order, numbered as one connection would number them.

    Heartbeats are made anew where the recording has none.
    A number is left out where the recording shows that a new connection began.
    Holes in its own numbers are kept if it has heartbeats of its own;
    otherwise they are the heartbeats it lacks, and say nothing.

    Lines that cannot be used are skipped, and a missing end is an end: ``describe`` says so.

    Raises:
        RecordingError: too many lines are no frame of Advanced Trade, or the file cannot be read.
    """
    entries = _entries(RecordedLines(path))
    if any(entry.envelope.channel == "heartbeats" for entry in _entries(RecordedLines(path))):
        return numbered(entries)
    return numbered(with_heartbeats(replace(entry, lost=0) for entry in entries))


def describe(path: Path) -> Recording:
    """Read a recording once and say what it holds.

    Raises:
        RecordingError: too many lines are no frame of Advanced Trade, or there is no ticker.
    """
    lines = RecordedLines(path)
    counts: Counter[str] = Counter()
    first: int | None = None
    last = 0
    sized = True
    for entry in _entries(lines):
        first = entry.time_us if first is None else min(first, entry.time_us)
        last = max(last, entry.time_us)
        counts.update(ticker.product_id for ticker in entry.tickers)
        sized = sized and all(ticker.sized for ticker in entry.tickers)
    if first is None or not counts:
        found = "; ".join(["found no ticker", *lines.notes])
        raise RecordingError(f"{path.name}: {found}, expected at least one")
    products = tuple(sorted(counts))
    times, digest = (first, last), _digest(path)
    return Recording(path.name, digest, products, dict(counts), *times, sized, lines.notes)


def numbered(entries: Iterable[Entry]) -> Iterator[Frame]:
    """Number the frames from 0, as one connection over all channels and products."""
    number = -1
    for entry in entries:
        number += 1 + max(entry.lost, int(entry.restarted))
        whole = msgspec.structs.replace(entry.envelope, sequence_num=number)
        yield Frame(entry.time_us, msgspec.json.encode(whole))


def with_heartbeats(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Put a heartbeat into every second of event time in which the feed is known to be alive."""
    life = Life()
    start: int | None = None
    due = counter = 0
    for entry in entries:
        if start is None:
            start = entry.time_us
            due = start + SECOND_US
        alive = life.reaches(entry)
        while due <= entry.time_us:
            counter += 1
            if alive:
                yield heartbeat(due, counter, due - start)
            due += SECOND_US
        yield entry


@dataclass(slots=True)
class Life:
    """Says, frame by frame, whether the feed was alive since the last sign of life.

    It was if the frame comes at most 10 s after that sign,
    or brings trades whose ids follow the last ones, so that nothing can have happened in between.
    Trades that leave ids out are no sign of life.
    ``last_us`` is the time of the last sign, ``last_trade`` the last id by product.
    """

    last_us: int | None = None
    last_trade: dict[str, int] = field(default_factory=dict)

    def reaches(self, entry: Entry) -> bool:
        """Take the next frame; true if the feed was alive up to it."""
        follow = self._follow(entry.trades)
        if follow is False:
            return False
        near = self.last_us is None or entry.time_us - self.last_us <= SILENCE_US
        self.last_us = max(self.last_us or 0, entry.time_us)
        return near or follow is True

    def _follow(self, events: Iterable[TradesEvent]) -> bool | None:
        """Say whether the trades follow the last ones; None where there is nothing to follow."""
        answer: bool | None = None
        for event in events:
            for product, ids in _ids(event).items():
                last = self.last_trade.get(product)
                self.last_trade[product] = max(ids[-1], last or 0)
                if last is not None and event.type != "snapshot":
                    expected = list(range(last + 1, last + 1 + len(ids)))
                    answer = answer is not False and ids == expected
        return answer


def heartbeat(time_us: int, counter: int, running_us: int) -> Entry:
    """Make a heartbeat as production sends it; ``running_us`` is how long its server runs."""
    text = text_of(time_us)
    running = f"m=+{running_us // SECOND_US}.{running_us % SECOND_US:06d}000"
    go = f"{text[:10]} {text[11:-1]} +0000 UTC {running}"
    events = msgspec.json.encode([{"current_time": go, "heartbeat_counter": counter}])
    return Entry(time_us, Envelope("heartbeats", text, events=msgspec.Raw(events)))


def _ids(event: TradesEvent) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = {}
    for trade in event.trades:
        ids.setdefault(trade.product_id, []).append(int(trade.trade_id))
    return {product: sorted(found) for product, found in ids.items()}


def _entries(lines: RecordedLines) -> Iterator[Entry]:
    yield from parse(lines, lines.refuse)
    lines.finish()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(DIGEST_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

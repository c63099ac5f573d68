"""What the exchange has said so far and says next: one order for all connections."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingestor.recordings.formats import Envelope
from ingestor.recordings.recording import Frame

ITEMS: Final = {"ticker": "tickers", "market_trades": "trades"}
"""Where in an event the channel's products stand."""
HEAD_US: Final = 100_000
"""First words that stand so close to the beginning are known when the clock starts."""


@dataclass(frozen=True, slots=True)
class TapeItem:
    """One frame, read far enough to know who wants it.

    ``position`` is its place on the tape, from 0; ``lost`` how many numbers are missing before it.
    ``products`` names each item's product, in order; it is empty for heartbeats.
    """

    time_us: int
    position: int
    lost: int
    envelope: Envelope
    products: tuple[str, ...]

    @property
    def channel(self) -> str:
        """The channel it belongs to."""
        return self.envelope.channel

    def only(self, products: frozenset[str], kind: str | None = None) -> msgspec.Raw:
        """Return its events with these products alone; ``kind`` replaces their type."""
        key = ITEMS[self.channel]
        kept = []
        for event in msgspec.json.decode(self.envelope.events, type=list[dict[str, Any]]):
            items = [item for item in event[key] if item["product_id"] in products]
            if items:
                kept.append({**event, key: items} | ({"type": kind} if kind else {}))
        return msgspec.Raw(msgspec.json.encode(kept))


class Tape:
    """Frames in order; ``last`` holds the newest frame of each channel and product.

    Before the first one is played, ``last`` holds those that stand at the very beginning:
    a subscription gets them as its snapshots.
    """

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self._ahead: deque[TapeItem] = deque()
        self._position = self._number = -1
        self.last: dict[tuple[str, str], TapeItem] = {}
        self.start_us = self._read_head()

    def __iter__(self) -> Iterator[TapeItem]:
        while self._ahead:
            yield self._ahead.popleft()
        while (published := self._read()) is not None:
            yield published

    def play(self, published: TapeItem) -> None:
        """Take note that this frame is being said now."""
        for product in published.products:
            known = self.last.get((published.channel, product))
            if known is None or known.position < published.position:
                self.last[published.channel, product] = published

    def _read_head(self) -> int:
        first: TapeItem | None = None
        while (published := self._read()) is not None:
            first = first or published
            self._ahead.append(published)
            keys = [(published.channel, product) for product in published.products]
            far = published.time_us - first.time_us > HEAD_US
            if far or not keys or any(key in self.last for key in keys):
                break
            self.play(published)
        if first is None:
            raise ValueError("found no frame to play, expected at least one")
        return first.time_us

    def _read(self) -> TapeItem | None:
        frame = next(self._frames, None)
        if frame is None:
            return None
        envelope = msgspec.json.decode(frame.data, type=Envelope)
        lost = envelope.sequence_num - self._number - 1
        self._number = envelope.sequence_num
        self._position += 1
        return TapeItem(frame.time_us, self._position, lost, envelope, _products(envelope))


def _products(envelope: Envelope) -> tuple[str, ...]:
    key = ITEMS.get(envelope.channel)
    if key is None:
        return ()
    events = msgspec.json.decode(envelope.events, type=list[dict[str, Any]])
    return tuple(item["product_id"] for event in events for item in event[key])

"""Shards: a product's events of some hours, with what its rows look back and ahead to.

A shard can be turned into rows by itself, on any machine, and they are the rows of the whole
stream to the bit: it begins 302 s before its time, with the product's state as it was then, and
ends once the last of its labels has matured. Events are cut by their place in the stream, so
that late and repeated ones, and Breaks, stay where they stood::

    events        ──┬──────────────┬────────┬──┬──────────────▶
    shard n       │  looks back  │   its rows│ahead│
    shard n + 1                  └ back ──┴──┴─ its rows …
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from featurizer.engine import READ_BACK_US, FeatureEngine, Snapshot
from featurizer.labels import HORIZON
from featurizer.level.levels import Levels
from featurizer.level.seeds import default_seeds
from featurizer.slots import MICROSECONDS
from ingestor.tick import Break, Event, decode
from training.data.coverage import Coverage

LENGTH_US: Final = 6 * 3_600 * MICROSECONDS
"""A quarter of a UTC day, so that one day keeps several cores busy; 302 s are taken twice."""
AHEAD_US: Final = HORIZON * MICROSECONDS
"""An event this long after a shard's end matures the label of its last second."""
BEGINNING: Final = 0
END: Final = 2**63 - 1
BUFFER: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Shard:
    """One product's rows from ``start_us`` to before ``end_us``, and the events they need.

    ``start_us`` is 0 where the feed begins inside, so that its first Break is counted here.
    ``path`` holds ``events`` lines as they stand in the topic ``ticks``; ``state`` is the
    product's before the first of them, None where its feed begins. ``sha256`` is of both.
    """

    feed: str
    product: str
    number: int
    start_us: int
    end_us: int
    path: Path
    events: int
    sha256: str
    state: Snapshot | None = None

    def read(self) -> Iterator[Event]:
        """Return the events, one at a time."""
        with self.path.open("rb") as lines:
            yield from map(decode, lines)


@dataclass(slots=True)
class _OpenShard:
    start_us: int
    end_us: int
    number: int
    file: BinaryIO
    state: Snapshot | None
    events: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        if self.state is not None:
            self.digest.update(repr(self.state.run.state()).encode())

    def put(self, line: bytes) -> None:
        self.file.write(line)
        self.digest.update(line)
        self.events += 1


@dataclass(slots=True)
class _ProductShards:
    """One product of one feed; ``newest`` is the last shard considered, by its number since 1970.

    The next one is due at ``due_us``.
    """

    feed: str
    newest: int = -1
    due_us: int = 0
    open: list[_OpenShard] = field(default_factory=list)


class ShardWriter:
    """Cuts a stream of events into shards in ``folder``; memory holds each product's state.

    ``span`` (epoch microseconds, whole seconds, the end is left out) limits the rows;
    ``length_us`` is that of a shard, at least 302 s. Events of all products may be mixed;
    those of one are in its order.
    ``coverage`` is by feed and product, over the events whose time is in the span.
    """

    def __init__(
        self,
        folder: Path,
        span: tuple[int, int] = (BEGINNING, END),
        length_us: int = LENGTH_US,
    ) -> None:
        if length_us < READ_BACK_US or any(t % MICROSECONDS for t in span if t != END):
            raise ValueError(f"found {length_us} and {span}, expected whole seconds, 302 or more")
        self._folder, self._span, self._length = folder, span, length_us
        self._products: dict[str, _ProductShards] = {}
        self._made: Counter[str] = Counter()
        self._engine = FeatureEngine(Levels(default_seeds()))
        self.shards: list[Shard] = []
        self.coverage: dict[tuple[str, str], Coverage] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, event: Event, line: bytes) -> None:
        """Put one event, and its JSON, where it is needed."""
        product = self._products.get(event.product_id)
        if product is None or product.feed != event.feed:
            product = self._begin(event)
        elif event.time_us >= product.due_us and not isinstance(event, Break):
            self._open_due(product, event, first=False)
        if self._span[0] <= event.time_us < self._span[1]:
            self._cover(event)
        for shard in product.open:
            shard.put(line + b"\n")
        if product.open and not isinstance(event, Break):
            self._close_done(event.product_id, product, event.time_us)
        self._engine.restore(event)

    def finish(self) -> list[Shard]:
        """Close all shards and give them, by feed, product and time."""
        for name, product in self._products.items():
            self._close_all(name, product)
        self._products.clear()
        self.shards.sort(key=lambda s: (s.feed, s.product, s.number))
        return self.shards

    def _begin(self, event: Event) -> _ProductShards:
        """Another feed clears the product's state, so its shards begin anew."""
        before = self._products.get(event.product_id)
        if before is not None:
            self._close_all(event.product_id, before)
        product = self._products[event.product_id] = _ProductShards(event.feed)
        self._open_due(product, event, first=True)
        return product

    def _open_due(self, product: _ProductShards, event: Event, first: bool) -> None:
        """Open each shard that begins within the look-back of this event.

        Only an event later than all before it opens one: after it the engine's last accepted
        key is the same, whatever stood before. The feed's very first may be a Break.
        """
        last = (event.time_us + READ_BACK_US) // self._length
        for at in range(max(product.newest + 1, event.time_us // self._length), last + 1):
            start = max(at * self._length, self._span[0])
            end = min((at + 1) * self._length, self._span[1])
            if event.time_us < start - READ_BACK_US:
                break
            product.newest = at
            if event.time_us < end and start < end:
                begins = first and start <= event.time_us
                state = None if first else self._engine.snapshot(event.product_id)
                self._open(product, event, (BEGINNING if begins else start, end), state)
        following = max((product.newest + 1) * self._length, self._span[0])
        product.due_us = following - READ_BACK_US

    def _open(
        self,
        product: _ProductShards,
        event: Event,
        span: tuple[int, int],
        state: Snapshot | None,
    ) -> None:
        name = event.product_id
        number = self._made[name]
        self._made[name] += 1
        path = self._path(name, number)
        file = path.open("wb", buffering=BUFFER)
        product.open.append(_OpenShard(*span, number, file, state))

    def _path(self, product: str, number: int) -> Path:
        safe = hashlib.sha256(product.encode()).hexdigest()[:12]
        return self._folder / f"{safe}-{number:05d}.events"

    def _cover(self, event: Event) -> None:
        key = event.feed, event.product_id
        coverage = self.coverage.get(key)
        if coverage is None:
            coverage = self.coverage[key] = Coverage()
        coverage.take(event)

    def _close_done(self, name: str, product: _ProductShards, time_us: int) -> None:
        if time_us >= product.open[0].end_us + AHEAD_US:
            self._close(product, name, product.open.pop(0))

    def _close_all(self, name: str, product: _ProductShards) -> None:
        while product.open:
            self._close(product, name, product.open.pop(0))

    def _close(self, product: _ProductShards, name: str, shard: _OpenShard) -> None:
        shard.file.close()
        self.shards.append(
            Shard(
                feed=product.feed,
                product=name,
                number=shard.number,
                start_us=shard.start_us,
                end_us=shard.end_us,
                path=self._path(name, shard.number),
                events=shard.events,
                sha256=shard.digest.hexdigest(),
                state=shard.state,
            )
        )

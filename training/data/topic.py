"""A span of the topic ``ticks`` as sources of a dataset, a feed each; found by content alone.

Event time may run backwards between feeds, and the broker's clock says nothing about it, so the
whole of what is kept is read once; events outside the span are dropped as they come.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from ingestor.tick import Dialect, Tick, decode, encode
from ingestor.topics import TICKS
from plumbing.kafka import (
    KafkaSettings,
    Partition,
    PassedOver,
    Reader,
    Record,
    TopicError,
)
from training.data.checks import LeftOut, RateCheck
from training.data.progress import Progress
from training.data.shards import BEGINNING, END, LENGTH_US, Shard, ShardWriter
from training.data.sources import Refused, Source
from training.errors import DatasetError

POLL_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 30.0
"""So long nothing may come before the end that the broker named."""


class TopicReader(Protocol):
    """What is used of ``plumbing.kafka.Reader``; it begins at the first record kept."""

    def beginnings(self) -> dict[Partition, int]:
        """Return the first offset still kept of each partition."""

    def ends(self) -> dict[Partition, int]:
        """Return the offset that the next record of each partition will have."""

    def poll(self, timeout: float) -> list[Record]:
        """Return the next records."""

    def close(self) -> None:
        """Let go of the broker."""


@dataclass(frozen=True, slots=True)
class TopicSpan:
    """What of the topic is wanted: rows from ``from_us`` to before ``to_us``, whole seconds.

    ``feeds`` names the feeds, none of them: all; ``holdout`` those never read, replays included.
    """

    from_us: int = BEGINNING
    to_us: int = END
    feeds: tuple[str, ...] = ()
    holdout: tuple[str, ...] = ()
    length_us: int = LENGTH_US


def open_topic(settings: KafkaSettings) -> TopicReader:
    """Connect to the topic.

    Raises:
        DatasetError: there is no broker, or no such topic on it.
    """
    try:
        return Reader(settings, [TICKS.name])
    except (TopicError, OSError, RuntimeError) as exc:
        raise DatasetError(f"{settings.bootstrap_servers}: {exc}") from exc
    except Exception as exc:  # kafka-python's own errors share no other base
        if type(exc).__module__.startswith("kafka."):
            found = f"{type(exc).__name__}: {exc}"
            raise DatasetError(f"{settings.bootstrap_servers}: {found}, expected a broker") from exc
        raise


def read_topic(
    reader: TopicReader,
    span: TopicSpan,
    work: Path,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
) -> list[Source | Refused]:
    """Read what stands in the topic now into sources, by name of the feed.

    Raises:
        DatasetError: the broker stopped giving records before their end.
    """
    feeds = _Feeds(span, ShardWriter(work, (span.from_us, span.to_us), span.length_us))
    ends = reader.ends()
    at = reader.beginnings()
    progress.begin("reading", sum(max(ends[p] - at[p], 0) for p in ends), "records")
    heard = clock()
    while _behind(at, ends):
        records = reader.poll(POLL_SECONDS)
        if records:
            heard = clock()
        elif clock() - heard > PATIENCE_SECONDS:
            raise DatasetError(_stalled(at, ends))
        for record in records:
            partition = Partition(record.topic, record.partition)
            if record.offset < ends[partition]:
                feeds.take(record)
            at[partition] = record.offset + 1
        progress.advance(len(records))
    return feeds.finish()


def _behind(at: Mapping[Partition, int], ends: Mapping[Partition, int]) -> bool:
    return any(at[partition] < end for partition, end in ends.items())


def _stalled(at: Mapping[Partition, int], ends: Mapping[Partition, int]) -> str:
    where = ", ".join(f"{p.number} at {at[p]} of {end}" for p, end in ends.items() if at[p] < end)
    return (
        f"ticks: found no record for {PATIENCE_SECONDS:g} s, expected those up to the ends of"
        f" partitions {where}"
    )


@dataclass(slots=True)
class _Feeds:
    """Sorts the records by feed, and looks at them as recordings are looked at."""

    span: TopicSpan
    writer: ShardWriter
    refused: dict[str, Refused] = field(default_factory=dict)
    dialects: dict[str, Dialect] = field(default_factory=dict)
    passed: PassedOver = field(default_factory=lambda: PassedOver("training"))
    _rates: dict[str, RateCheck] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Take one record; what cannot be read was a dead letter when it was met first."""
        event = self.passed.message(record, decode)
        if event is None:
            return
        if event.feed in self.refused or not self._admitted(event.feed):
            return
        if isinstance(event, Tick) and not self._credible(event, record):
            return
        self.dialects[event.feed] = event.dialect
        self.writer.take(event, encode(event))

    def _admitted(self, feed: str) -> bool:
        if self.span.feeds and feed not in self.span.feeds:
            return False
        if feed.split("@")[0].split(".")[0] in self.span.holdout:
            reason = "a replay of a holdout recording: kept for the final report"
            self.refused[feed] = Refused(_named(feed), False, "holdout", reason)
            return False
        return True

    def _credible(self, tick: Tick, record: Record) -> bool:
        if not self.span.from_us <= tick.time_us < self.span.to_us:
            return True
        pace = self._rates.setdefault(tick.feed, RateCheck(_named(tick.feed)))
        row = f"partition {record.partition}, offset {record.offset}"
        try:
            pace.see(tick.product_id, tick.dialect, tick.time_us, row)
        except LeftOut as exc:
            named = tick.feed in self.span.feeds
            self.refused[tick.feed] = Refused(exc.file, named, "left out", exc.reason)
            return False
        return True

    def finish(self) -> list[Source | Refused]:
        self.passed.tell()
        shards = self.writer.finish()
        found: list[Source | Refused] = list(self.refused.values())
        for feed in self.dialects:
            if feed not in self.refused:
                found += self._source(feed, [s for s in shards if s.feed == feed])
        return sorted(found, key=lambda one: one.name)

    def _source(self, feed: str, shards: Sequence[Shard]) -> list[Source]:
        """Return the feed as a source; nothing if no second of it stands in the span."""
        known = sorted(self.writer.coverage.items())
        coverage = {product: c for (name, product), c in known if name == feed}
        if not any(c.first_us >= 0 for c in coverage.values()):
            return []
        digest = hashlib.sha256(
            b"".join(f"{s.product} {s.start_us} {s.sha256}\n".encode() for s in shards)
        ).hexdigest()
        # A product without a row in the span may still have looked ahead to it.
        own = tuple(s for s in shards if s.product in coverage)
        named = feed in self.span.feeds
        return [Source(_named(feed), digest, self.dialects[feed], named, coverage, own)]


def _named(feed: str) -> str:
    return f"ticks:{feed}"

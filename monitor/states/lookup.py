"""What stands in topic ``signals``: the newest record of each product, and those of a span."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Final

from msgspec.structs import replace

from ingestor.topics import PREDICTIONS, SIGNALS
from monitor.reading import TAIL, LogReader, backwards, first_since, forwards, of_topic
from plumbing.kafka import Partition, PassedOver
from plumbing.kafka import Record as LogRecord
from scorer.prediction import Prediction
from scorer.prediction import decode as decode_prediction
from signals.events import Minute
from signals.records import Record, decode

ALIKE_MS: Final = 300_000
"""A product whose newest record is so much older than another's was silent already."""

MOST_CURSOR: Final = 40

Ends = Mapping[Partition, int]


def newest_records(
    reader: LogReader, beginnings: Ends, ends: Ends, passed: PassedOver
) -> list[tuple[LogRecord, Record]]:
    """Return the newest record of each product, of the last ones of each partition.

    What cannot be read is passed over, and counted in ``passed``.
    """
    found: dict[str, tuple[LogRecord, Record]] = {}
    for partition in of_topic(reader.partitions(), SIGNALS.name):
        begin = max(beginnings[partition], ends[partition] - TAIL)
        records = backwards(reader, partition, begin, ends[partition])
        unknown = (record for record in records if record.key not in found)
        for record, told in passed.read(unknown, decode):
            found.setdefault(told.product_id, (record, told))
    return list(found.values())


def usable(
    newest: list[tuple[LogRecord, Record]], predictions: Iterable[Partition], ends: Ends
) -> Iterator[tuple[int, Record]]:
    """Return the records to go on from, each with its partition.

    Where ``predictions`` began anew their offsets say nothing: rows are passed over by their
    times then.
    """
    end = {partition.number: ends[partition] for partition in predictions}
    for record, told in newest:
        if told.state.offset < end.get(record.partition, 0):
            yield record.partition, told
        else:
            yield record.partition, replace(told, state=replace(told.state, offset=-1))


def starts(
    newest: list[tuple[LogRecord, Record]], predictions: list[Partition]
) -> dict[Partition, int]:
    """Return where ``predictions`` must be read from, so that no machine misses a row.

    Keys fall on partitions of both topics alike. A product that was silent before the others
    holds nobody up: what stands of it after its newest record is ``unread``.
    """
    found: dict[Partition, int] = {}
    newest_ms = max((record.timestamp_ms for record, _ in newest), default=0)
    known = {partition.number: partition for partition in predictions}
    for record, told in newest:
        partition = known.get(record.partition)
        if partition is None or record.timestamp_ms < newest_ms - ALIKE_MS:
            continue
        found[partition] = min(found.get(partition, told.state.offset + 1), told.state.offset + 1)
    return found


def unread(
    reader: LogReader,
    newest: list[tuple[LogRecord, Record]],
    positions: Ends,
    beginnings: Ends,
    passed: PassedOver,
) -> Iterator[tuple[LogRecord, Prediction]]:
    """Return what products have after their newest record, where reading begins later than that.

    A record comes each minute, so it is a minute at most, of one that fell silent before others.
    """
    for record, told in newest:
        partition = Partition(PREDICTIONS.name, record.partition)
        start = max(told.state.offset + 1, beginnings.get(partition, 0))
        until_ms = record.timestamp_ms + ALIKE_MS
        rows = forwards(reader, partition, start, positions.get(partition, 0))
        soon = takewhile(partial(_by, until_ms), rows)
        own = (row for row in soon if row.key == told.product_id)
        yield from passed.read(own, decode_prediction)


def _by(until_ms: int, row: LogRecord) -> bool:
    return row.timestamp_ms <= until_ms


def appended_since(reader: LogReader, span_ms: int, most: int) -> dict[Partition, int]:
    """Return where the records begin that were appended in ``span_ms`` before the newest one.

    At most ``most`` of each partition. What is told of a span of event time is appended within as
    long, but by a replay that is slower than its market.
    """
    found, beginnings, ends = dict[Partition, int](), reader.beginnings(), reader.ends()
    for partition in of_topic(reader.partitions(), SIGNALS.name):
        end = ends[partition]
        begin = max(beginnings[partition], end - most)
        newest = next(backwards(reader, partition, begin, end, 1), None)
        at_ms = 0 if newest is None else newest.timestamp_ms - span_ms
        found[partition] = first_since(reader, partition, begin, end, at_ms)
    return found


def records_between(reader: LogReader, starts: Ends, ends: Ends) -> Iterator[Record]:
    """Return the records of these stretches, those of a product in their order."""
    passed = PassedOver("monitor, signals")
    for partition, start in starts.items():
        records = forwards(reader, partition, start, ends[partition])
        yield from (told for _, told in passed.read(records, decode))


@dataclass(frozen=True, slots=True)
class Query:
    """What happened to a product between two event times (epoch µs), at most ``limit`` of it.

    ``cursor`` is the ``next`` of an earlier page of the same query, whatever its ``limit``;
    ``most`` records of any product are read of a partition.
    """

    product_id: str
    since_us: int
    until_us: int | None
    limit: int
    most: int
    cursor: str | None = None

    @property
    def mark(self) -> str:
        """Names the query in its cursors."""
        asked = repr((self.product_id, self.since_us, self.until_us))
        return f"{zlib.crc32(asked.encode()):08x}"

    def at(self, partition: int, offset: int) -> str:
        """Return the cursor of what stands below an offset."""
        return f"{partition}.{offset}.{self.mark}"


@dataclass(frozen=True, slots=True)
class Page:
    """Records newest first, without the minutes; ``next`` continues, None where nothing is left."""

    records: list[Record]
    next: str | None


def page_of(reader: LogReader, query: Query) -> Page:
    """Return a page; one that is not full and has a ``next`` means "go on".

    Raises:
        ValueError: the cursor is none of ours, or that of another query.
    """
    beginnings, ends, passed = reader.beginnings(), reader.ends(), PassedOver("monitor, signals")
    number, before = _cursor(query)
    found: list[Record] = []
    for partition in of_topic(reader.partitions(), SIGNALS.name):
        if partition.number < number:
            continue
        here = query.cursor is not None and partition.number == number
        end = min(before, ends[partition]) if here else ends[partition]
        begin = max(beginnings[partition], end - query.most)
        for record, told in passed.read(backwards(reader, partition, begin, end), decode):
            if told.product_id != query.product_id:
                continue
            here = True
            if told.event.time_us < query.since_us:
                return Page(found, None)
            if _is_wanted(told, query):
                found.append(told)
            if len(found) == query.limit:
                return Page(found, query.at(partition.number, record.offset))
        if here and begin > beginnings[partition]:
            return Page(found, query.at(partition.number, begin))
    return Page(found, None)


def _is_wanted(told: Record, query: Query) -> bool:
    is_before = query.until_us is None or told.event.time_us <= query.until_us
    return is_before and not isinstance(told.event, Minute)


def _cursor(query: Query) -> tuple[int, int]:
    """Return partition and offset below which a page goes on."""
    text = query.cursor
    if text is None:
        return 0, 0
    number, _, rest = text.partition(".")
    offset, _, mark = rest.partition(".")
    if not (number.isdecimal() and offset.isdecimal() and len(text) <= MOST_CURSOR):
        raise ValueError(f"cursor: found {text!r}, expected the `next` of an earlier page")
    if mark != query.mark:
        raise ValueError("cursor: found that of another query, expected the same product, from, to")
    return int(number), int(offset)

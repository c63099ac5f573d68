"""What stands in topic ``signals``: the newest record of each product, and those of a span."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from ingestor.topics import SIGNALS
from monitor.reading import TAIL, LogReader, backwards, first_since, forwards, of_topic
from plumbing.kafka import Partition, PassedOver
from plumbing.kafka import Record as LogRecord
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
        for record, read in passed.read(unknown, decode):
            found.setdefault(read.product_id, (record, read))
    return list(found.values())


def usable(
    newest: list[tuple[LogRecord, Record]], predictions: Iterable[Partition], ends: Ends
) -> Iterator[Record]:
    """Return the records to go on from; where ``predictions`` began anew their offsets say nothing.

    Rows are passed over by their times then.
    """
    end = {partition.number: ends[partition] for partition in predictions}
    for record, read in newest:
        if read.state.offset < end.get(record.partition, 0):
            yield read
        else:
            yield replace(read, state=replace(read.state, offset=-1))


def starts(
    newest: list[tuple[LogRecord, Record]], predictions: list[Partition]
) -> dict[Partition, int]:
    """Return where ``predictions`` must be read from, so that no machine misses a row.

    Keys fall on partitions of both topics alike. A record comes each minute, so of a product that
    was silent before the others nothing stands after its newest.
    """
    found: dict[Partition, int] = {}
    newest_ms = max((record.timestamp_ms for record, _ in newest), default=0)
    known = {partition.number: partition for partition in predictions}
    for record, read in newest:
        partition = known.get(record.partition)
        if partition is None or record.timestamp_ms < newest_ms - ALIKE_MS:
            continue
        found[partition] = min(found.get(partition, read.state.offset + 1), read.state.offset + 1)
    return found


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

    ``cursor`` is the ``next`` of an earlier page; ``most`` records of any product are read of a
    partition.
    """

    product_id: str
    since_us: int
    until_us: int | None
    limit: int
    most: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records newest first, without the minutes; ``next`` continues, None where nothing is left."""

    records: list[Record]
    next: str | None


def page_of(reader: LogReader, query: Query) -> Page:
    """Return a page; one that is not full and has a ``next`` means "go on".

    Raises:
        ValueError: the cursor is none of ours.
    """
    beginnings, ends, passed = reader.beginnings(), reader.ends(), PassedOver("monitor, signals")
    number, before = _cursor(query.cursor)
    found: list[Record] = []
    for partition in of_topic(reader.partitions(), SIGNALS.name):
        if partition.number < number:
            continue
        here = query.cursor is not None and partition.number == number
        end = min(before, ends[partition]) if here else ends[partition]
        begin = max(beginnings[partition], end - query.most)
        for record, read in passed.read(backwards(reader, partition, begin, end), decode):
            if read.product_id != query.product_id:
                continue
            here = True
            if read.event.time_us < query.since_us:
                return Page(found, None)
            if _is_wanted(read, query):
                found.append(read)
            if len(found) == query.limit:
                return Page(found, f"{partition.number}.{record.offset}")
        if here and begin > beginnings[partition]:
            return Page(found, f"{partition.number}.{begin}")
    return Page(found, None)


def _is_wanted(read: Record, query: Query) -> bool:
    is_before = query.until_us is None or read.event.time_us <= query.until_us
    return is_before and not isinstance(read.event, Minute)


def _cursor(text: str | None) -> tuple[int, int]:
    """Return partition and offset below which a page goes on."""
    if text is None:
        return 0, 0
    number, _, offset = text.partition(".")
    if not (number.isdecimal() and offset.isdecimal() and len(text) <= MOST_CURSOR):
        raise ValueError(f"cursor: found {text!r}, expected the `next` of an earlier page")
    return int(number), int(offset)

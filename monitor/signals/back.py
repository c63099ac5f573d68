"""What a starting monitor reads back of ``signals``: where each product's machine stands."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ingestor.topics import PREDICTIONS, SIGNALS
from monitor.reading import CHUNK, LogReader, backwards, of_topic, read
from plumbing.kafka import Partition, PassedOver
from plumbing.kafka import Record as Message
from scorer import prediction as predictions
from scorer.prediction import Prediction
from signals import records as signals
from signals.records import Record

TAIL: Final = 20_000
"""Records looked through in each partition for the newest of its products: a week of two."""
MOST: Final = 100_000
"""So many predictions of a partition are taken again at most; what was before is blind then."""

Ends = Mapping[Partition, int]


def newest(
    reader: LogReader,
    products: Mapping[int, set[str]],
    beginnings: Ends,
    ends: Ends,
    refused: Callable[[], object],
) -> Iterator[tuple[int, Record]]:
    """Find the newest record of products by partition; ``refused`` counts the unreadable.

    Of the topics that are keyed by product, a product's partitions have one number.
    """
    passed = PassedOver("monitor, restoring")
    for number, missing in products.items():
        at = Partition(SIGNALS.name, number)
        begin = max(beginnings.get(at, 0), ends.get(at, 0) - TAIL)
        for message in backwards(reader, at, begin, ends.get(at, 0)) if missing else ():
            if message.key not in missing:
                continue
            record = passed.message(message, signals.decode)
            if record is None:
                refused()
                continue
            yield number, record
            missing = missing - {message.key}
            if not missing:
                break


def predictions_between(
    reader: LogReader, number: int, taken: int, stop: int, begin: int
) -> Iterator[tuple[Message, Prediction]]:
    """Read the predictions after the offset ``taken`` of a partition, up to ``stop``."""
    at, passed = Partition(PREDICTIONS.name, number), PassedOver("monitor, restoring")
    for start in range(max(begin, taken + 1, stop - MOST), stop, CHUNK):
        found = read(reader, at, start, min(stop, start + CHUNK))
        yield from passed.read(found, predictions.decode)


def records_since(
    reader: LogReader, product_id: str, since_us: int, most: int
) -> Iterator[tuple[Message, Record]]:
    """Return a product's records newest first, back to an event time (epoch µs).

    At most ``most`` records of any product are read of each partition.
    """
    beginnings, ends, passed = reader.beginnings(), reader.ends(), PassedOver("monitor, signals")
    for partition in of_topic(reader.partitions(), SIGNALS.name):
        end = ends[partition]
        begin = max(beginnings[partition], end - most)
        records = backwards(reader, partition, begin, end)
        own = (record for record in records if record.key == product_id)
        for message, record in passed.read(own, signals.decode):
            if record.event.time_us < since_us:
                break
            yield message, record

"""Where in a partition the predictions of a span of event time stand.

Within one feed event time only grows, so that its part of the topic can be bisected; feeds stand
one after the other, and their times have nothing to do with each other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from featurizer.slots import MICROSECONDS
from monitor.reading import LogReader, read
from plumbing.kafka import Partition
from plumbing.kafka.records import Record
from scorer.prediction import Prediction

SLACK_US: Final = 120 * MICROSECONDS
"""Products of one partition, and repeats, may stand so far from their place in time."""
LOOK: Final = 50
"""So many records are looked through for one that can be read."""
NEAR: Final = 2_000
"""A range of so few records is read, not bisected."""

Decode = Callable[[Record], Prediction | None]


@dataclass(frozen=True, slots=True)
class Spans:
    """Finds them in ``partition``; ``decode`` gives None for what cannot be read."""

    reader: LogReader
    partition: Partition
    decode: Decode

    def newest_first(
        self, begin: int, end: int, from_us: int | None, to_us: int | None
    ) -> Iterator[tuple[int, int]]:
        """Yield ranges of offsets, feed by feed, outside of which nothing can match.

        Times are event times in epoch microseconds, None: open.
        """
        if from_us is None and to_us is None:
            yield begin, end
            return
        since = -SLACK_US if from_us is None else from_us - SLACK_US
        until = None if to_us is None else to_us + SLACK_US
        while begin < end:
            newest = self._before(begin, end)
            if newest is None:  # nothing of this can be read: it is left to whoever scans
                yield begin, end
                return
            start = self._began(newest.feed, begin, end)
            if newest.time_us >= since:
                first, _ = self._bracket(start, end, since)
                last = end if until is None else self._bracket(first, end, until + 1)[1]
                yield first, last
            end = start

    def _began(self, feed: str, begin: int, end: int) -> int:
        """Return where a feed that stands at the end begins."""
        low, high = begin, end
        while low < high:
            middle = (low + high) // 2
            found = self._after(middle, end)
            if found is None or found.feed == feed:
                high = middle
            else:
                low = middle + 1
        return low

    def _bracket(self, begin: int, end: int, time_us: int) -> tuple[int, int]:
        """Return between which offsets of one feed its times reach ``time_us``."""
        low, high = begin, end
        while high - low > NEAR:
            middle = (low + high) // 2
            found = self._after(middle, high)
            if found is None or found.time_us >= time_us:
                high = middle
            else:
                low = middle
        return low, high

    def _after(self, start: int, end: int) -> Prediction | None:
        records = read(self.reader, self.partition, start, min(end, start + LOOK))
        return next((made for r in records if (made := self.decode(r)) is not None), None)

    def _before(self, begin: int, end: int) -> Prediction | None:
        records = read(self.reader, self.partition, max(begin, end - LOOK), end)
        return next((made for r in reversed(records) if (made := self.decode(r)) is not None), None)

"""What the states of the last days were worth, read from the topic once for all who ask."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingestor.topics import SIGNALS
from monitor.http.board import Board
from monitor.http.kept import Kept
from monitor.reading import LogReader, Reopened, of_topic
from monitor.states.lookup import Ends, appended_since, records_between
from plumbing.kafka import Partition
from signals.track_record import AllProducts, TrackRecord, TrackRecords

DAY_MS: Final = 86_400_000
RECORDS_A_DAY: Final = 3_000
"""One a minute, and what happens; so many a product are read of a partition."""
KEPT_SECONDS: Final = 30.0
"""So old may an answer be: every page asks once a minute."""


@dataclass(frozen=True, slots=True)
class Told:
    """Figures by product, a table a variant, and those of all products."""

    by_product: dict[str, list[TrackRecord]]
    over_all: list[AllProducts]


@dataclass(slots=True)
class _Taken:
    """What was read of the topic, of so many days or more, and where reading goes on."""

    days: int
    records: TrackRecords
    positions: dict[Partition, int]

    def goes_on(self, days: int, beginnings: Ends, ends: Ends) -> bool:
        """Say whether what came since is all that is missing for so many days."""
        if self.positions.keys() != {*of_topic(ends, SIGNALS.name)}:
            return False
        stands = (beginnings.get(p, 0) <= at <= ends.get(p, -1) for p, at in self.positions.items())
        return days <= self.days and all(stands)


class Track:
    """Answers for all products at once, and reads each record once.

    ``most`` records are read of a partition at least; where ``stopped`` says that the process ends,
    reading does.
    """

    def __init__(
        self,
        board: Board,
        reader: Reopened,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        stopped: Callable[[], bool] = bool,
    ) -> None:
        self._board, self._reader, self._most, self._stopped = board, reader, most, stopped
        self._kept = Kept(self._read, KEPT_SECONDS, clock)
        self._taken: _Taken | None = None

    async def of(self, days: int) -> Told:
        """Return the figures of each product's last days, in whole hours of event time.

        Raises:
            TimeoutError: the reader was not free in time, the broker gave nothing, or all ends.
        """
        return await self._kept.of(days)

    def _read(self, days: int) -> Told:
        taken, self._taken = self._taken, None  # a reading that fails is begun anew
        with self._reader as reader:
            ends = reader.ends()
            if taken is None or not taken.goes_on(days, reader.beginnings(), ends):
                taken = self._begun(reader, days)
            for record in records_between(reader, taken.positions, ends):
                if self._stopped():
                    raise TimeoutError("found the end of the process, expected that of the topic")
                taken.records.take(record)
            taken.positions = {partition: ends[partition] for partition in taken.positions}
        self._taken = taken
        by_product: dict[str, list[TrackRecord]] = {}
        for each in taken.records.by_product(24 * days):
            by_product.setdefault(each.product_id, []).append(each)
        return Told(by_product, list(taken.records.over_all(24 * days)))

    def _begun(self, reader: LogReader, days: int) -> _Taken:
        most = max(self._most, days * RECORDS_A_DAY * len(self._board.states()))
        return _Taken(days, TrackRecords(), appended_since(reader, days * DAY_MS, most))

"""What the states of the last days were worth, read from the topic once for all who ask."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from monitor.http.board import Board
from monitor.http.kept import Kept
from monitor.reading import Reopened
from monitor.states.lookup import records_since
from signals.row import MICROSECONDS
from signals.track_record import AllProducts, TrackRecord, TrackRecords

DAY_US: Final = 86_400 * MICROSECONDS
RECORDS_A_DAY: Final = 3_000
"""One a minute, and what happens; so many a product are read of a partition."""
KEPT_SECONDS: Final = 30.0
"""So old may an answer be: reading a week takes seconds, and every page asks once a minute."""


@dataclass(frozen=True, slots=True)
class Told:
    """Figures by product, a table a variant, and those of all products."""

    by_product: dict[str, list[TrackRecord]]
    over_all: list[AllProducts]


class Track:
    """Answers for all products at once; ``most`` records are read of a partition at least."""

    def __init__(
        self,
        board: Board,
        reader: Reopened,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board, self._reader, self._most = board, reader, most
        self._kept = Kept(self._read, KEPT_SECONDS, clock)

    async def of(self, days: int) -> Told:
        """Return the figures of each product's last days of event time.

        Raises:
            TimeoutError: the reader was not free in time, or the broker gave nothing.
        """
        return await self._kept.of(days)

    def _read(self, days: int) -> Told:
        found = TrackRecords()
        lasts = {each.product_id: each.state.last for each in self._board.states()}
        since = {
            name: 0 if last is None else last.time_us - days * DAY_US
            for name, last in lasts.items()
        }
        most = max(self._most, days * RECORDS_A_DAY * len(since))
        with self._reader as reader:
            for record in records_since(reader, since, days * DAY_US // 1_000, most):
                found.take(record)
        by_product: dict[str, list[TrackRecord]] = {}
        for each in found.by_product():
            by_product.setdefault(each.product_id, []).append(each)
        return Told(by_product, list(found.over_all()))

"""The track record of all products, read once for all who ask."""

import asyncio

import pytest

from ingestor.topics import SIGNALS
from monitor.http.board import Board
from monitor.http.track import KEPT_SECONDS, Track
from monitor.reading import LogReader as Reader
from monitor.reading import Reopened
from monitor.states.machines import Machines
from plumbing.kafka import Partition, Record
from signals.records import encode
from signals.row import Budget
from tests.monitor.page.world import course
from tests.monitor.world import Log, LogReader

DAY = 86_400


class Counted(LogReader):
    """Says how many records were given."""

    def __init__(self, of: "Tracked") -> None:
        super().__init__(of.log, most=500)
        self._of = of

    def poll(self, timeout: float) -> list[Record]:
        found = super().poll(timeout)
        self._of.polled += len(found)
        return found


class Tracked:
    """A track record over a log in memory; ``polled`` counts what that gave."""

    def __init__(self) -> None:
        self.log, self.board, self.now, self.polled = Log(), Board(), 0.0, 0
        self._machines, self._offset = Machines(Budget()), 0
        self.board.states = self._machines.standing
        self.track = Track(self.board, Reopened(self._open), 1_000, lambda: self.now)

    @classmethod
    def again(cls, of: "Tracked") -> Track:
        """Return a track record that has read nothing yet of the same log."""
        return Track(of.board, Reopened(lambda: LogReader(of.log)), 1_000)

    def _open(self) -> Reader:
        return Counted(self)

    def take(self, seconds: range, mood: str = "wave", **more: object) -> None:
        """Take a prediction each of these seconds."""
        for prediction in course(seconds, mood, **more):
            self._offset += 1
            for told in self._machines.take(prediction, self._offset):
                self.log.append(SIGNALS.name, told.product_id, encode(told))


def test_who_asks_soon_gets_the_same_answer() -> None:
    """Many at once read once; after a while what came since is added, and nothing read again."""
    tracked = Tracked()
    tracked.take(range(1_500))

    async def ask() -> None:
        first, *others = await asyncio.gather(*(tracked.track.of(7) for _ in range(5)))
        assert all(other is first for other in others)
        once = tracked.polled
        tracked.take(range(1_500, 1_740))
        assert await tracked.track.of(7) is first and tracked.polled == once
        tracked.now = KEPT_SECONDS + 0.1
        later = await tracked.track.of(7)
        assert tracked.polled - once < once / 2
        [before], [after] = first.by_product["BTC-USD"], later.by_product["BTC-USD"]
        assert after.elevated.covered_days > before.elevated.covered_days
        assert later == await Tracked.again(tracked).of(7)

    asyncio.run(ask())


def test_a_topic_that_began_anew_is_read_anew() -> None:
    """And so it is where more days are asked for than were read."""
    tracked = Tracked()
    tracked.take(range(900))

    async def ask() -> None:
        assert (await tracked.track.of(1)).by_product
        at = Partition(SIGNALS.name, sum(b"BTC-USD") % 2)
        del tracked.log.records[at][5:]
        tracked.now += KEPT_SECONDS + 0.1
        shorter = await tracked.track.of(1)
        assert shorter == await Tracked.again(tracked).of(1)
        before = tracked.polled
        assert (await tracked.track.of(7)).by_product == shorter.by_product
        assert tracked.polled >= before + 5

    asyncio.run(ask())


def test_each_product_has_its_last_days_and_all_have_theirs() -> None:
    """By its own event time, in whole hours, however old the other's is."""
    tracked = Tracked()
    tracked.take(range(900), "spike")
    tracked.take(range(2 * DAY, 2 * DAY + 900))
    tracked.take(range(600), product_id="ETH-USD")
    told = asyncio.run(tracked.track.of(1))
    [btc], [eth] = told.by_product["BTC-USD"], told.by_product["ETH-USD"]
    assert btc.elevated.covered_days * DAY < 910
    assert eth.until_us < btc.since_us
    [both] = told.over_all
    assert both.products == ("BTC-USD", "ETH-USD")
    assert both.elevated.starts == btc.elevated.starts + eth.elevated.starts > 0


def test_a_process_that_ends_waits_for_no_reading() -> None:
    """It is given up, and keeps nothing."""
    tracked = Tracked()
    tracked.take(range(300))
    ends = [True]
    reader = Reopened(lambda: LogReader(tracked.log))
    track = Track(tracked.board, reader, 1_000, stopped=lambda: ends[0])

    async def ask() -> None:
        with pytest.raises(TimeoutError, match="end of the process"):
            await track.of(7)
        ends[0] = False
        assert (await track.of(7)).by_product

    asyncio.run(ask())

"""The past is read back beside the live path, once the monitor is ready."""

import asyncio

from structlog.testing import capture_logs

from monitor.http.board import Board
from monitor.page.live import Live
from monitor.past.way_back import WayBack
from monitor.reading import LogReader as Reads
from signals.row import Budget
from tests.featurizer.market import START, break_at
from tests.monitor.page.world import course
from tests.monitor.past.test_courses import Monitored
from tests.monitor.world import SECOND, LogReader


def test_it_waits_until_ready_then_gives_courses_and_breaks() -> None:
    """Nothing is opened before; the hour is followed by the day, and readers are closed."""
    before, live, board, opened = Monitored(), Live(), Board(), list[LogReader]()
    before.take(course(range(50)))
    before.log.event(break_at(START + 60 * SECOND))
    before.take(course(range(70, 90), after_break=True))
    looks = iter([False, False, True])

    def reader() -> Reads:
        opened.append(LogReader(before.log))
        return opened[-1]

    async def sleep(seconds: float) -> None:
        assert not opened

    back = WayBack(reader, Budget(), live, board, ready=lambda: next(looks))
    asyncio.run(back.run(sleep))
    assert live.products == ["BTC-USD"]
    assert board.breaks() == [break_at(START + 60 * SECOND)]
    assert [each.closed for each in opened] == [True, True]


def test_a_failure_is_told_and_nothing_else() -> None:
    """The page then begins with the start of the monitor."""

    def reader() -> Reads:
        raise OSError("no broker")

    live = Live()
    with capture_logs() as logs:
        asyncio.run(WayBack(reader, Budget(), live, Board(), ready=lambda: True).run())
    assert [log["event"] for log in logs] == ["monitor.history_not_read"]
    assert live.products == []


def test_the_end_of_the_process_ends_it() -> None:
    """Between two pieces."""
    before = Monitored()
    before.take(course(range(50)))
    live, log = Live(), before.log
    back = WayBack(
        lambda: LogReader(log), Budget(), live, Board(), lambda: True, stopped=lambda: True
    )
    with capture_logs() as logs:
        asyncio.run(back.run())
    assert [(each["event"], each.get("stopping")) for each in logs] == [
        ("monitor.history_cut", True)
    ]
    assert live.products == []

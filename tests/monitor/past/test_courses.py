"""After a restart the page's history is what it was before."""

from collections.abc import Iterable

import pytest

from ingestor.topics import SIGNALS
from monitor.page.history import History
from monitor.page.live import Live
from monitor.past.courses import Patience, Stopped, past_of
from monitor.states.machines import Machines
from scorer.prediction import Prediction
from signals import records as signals
from signals.row import Budget
from tests.featurizer.market import START, break_at
from tests.monitor.page.world import course
from tests.monitor.world import SECOND, Log, LogReader

DAY = 86_400


def patient() -> Patience:
    """Patience that never sleeps."""
    return Patience(sleep=lambda seconds: None)


class Monitored:
    """A monitor's page and states, and the topics it reads and writes."""

    def __init__(self) -> None:
        self.log, self.live, self._machines = Log(1), Live(), Machines(Budget())
        self._offset = 0

    def take(self, predictions: Iterable[Prediction]) -> None:
        """Take rows as they come; a second passes with each."""
        for prediction in predictions:
            self.log.prediction(prediction)
            for told in self._machines.take(prediction, self._offset):
                self.log.append(SIGNALS.name, told.product_id, signals.encode(told))
            self._offset += 1
            self.live.take([prediction], self._machines.standing())
            self.log.pass_time(1)

    def past(self, seconds: int = DAY) -> Live:
        """Return what a restarted one reads back."""
        return past_of(LogReader(self.log, most=500), Budget(), seconds, patient()).live


def closed(live: Live, span: int, product: str = "BTC-USD") -> History:
    """The history of a stretch up to the newest closed minute."""
    newest_us = live.beat(0).event_us or 0
    until_us = newest_us // (60 * SECOND) * 60 * SECOND - 1
    return live.history(product, until_us - span * SECOND + 1, until_us, 1)


@pytest.mark.parametrize("span", [600, 3_000, 20_000])
def test_history_is_the_same_before_and_after(span: int) -> None:
    """By seconds, by four and by minutes, of all products."""
    before = Monitored()
    before.take(course(range(5_000)))
    before.take(course(range(5_000), product_id="ETH-USD"))
    after = before.past()
    for product in ("BTC-USD", "ETH-USD"):
        found = closed(after, span, product)
        assert found == closed(before.live, span, product)
        assert len(set(found.mode)) > 1


def test_what_came_while_reading_follows_without_a_seam() -> None:
    """The restarted monitor has rows of its own, the first of which was read back, too."""
    before, after, rows = Monitored(), Monitored(), list(course(range(4_000)))
    before.take(rows[:3_000])
    past = before.past()
    before.take(rows[3_000:])
    after.take(rows[2_999:])
    assert closed(before.live, 20_000).score != closed(after.live, 20_000).score
    after.live.adopt(past)
    for each in (600, 3_000, 20_000):
        found, expected = closed(after.live, each), closed(before.live, each)
        assert (found.time, found.score, found.price) == (
            expected.time,
            expected.score,
            expected.price,
        )
        assert found.holes == expected.holes


def test_states_go_on_from_their_records_where_the_day_begins_in_a_run() -> None:
    """A run that began before what is read is the same run, not one entered anew."""
    before = Monitored()
    before.take(course(range(3_000)))
    after = before.past(600)
    assert len(closed(after, 3_000).time) < 1_000
    assert closed(after, 600) == closed(before.live, 600)


def test_a_hole_has_its_reason_again() -> None:
    """The Break is found in ``ticks`` near the row that came after it."""
    before = Monitored()
    before.take(course(range(100)))
    before.log.event(break_at(START + 110 * SECOND, product_id="X"))
    before.log.event(break_at(START + 110 * SECOND))
    before.take(course(range(120, 121), after_break=True))
    before.take(course(range(121, 200)))
    past = past_of(LogReader(before.log), Budget(), DAY, patient())
    assert past.breaks == [break_at(START + 110 * SECOND)]
    holes = past.live.history("BTC-USD", None, None, 1, past.breaks).holes
    assert [each.reason for each in holes] == ["sequence"]


def test_another_feed_since_the_start_stays() -> None:
    """What was read back of the feed before is of no use."""
    before, after = Monitored(), Monitored()
    before.take(course(range(100)))
    after.take(course(range(50), feed="g"))
    after.live.adopt(before.past())
    assert after.live.history("BTC-USD", None, None, 1).feed == "g"


def test_empty_topics_are_an_empty_past() -> None:
    """A first start has nothing to read back."""
    assert Monitored().past().products == []


@pytest.mark.parametrize("over", ["stopped", "late"])
def test_patience_ends_reading(over: str) -> None:
    """At the end of the process, or after the time that it may take."""
    before, seconds = Monitored(), iter(range(10_000))
    before.take(course(range(20)))
    patience = Patience(
        lambda: over == "stopped",
        seconds=2.5 if over == "late" else 1e9,
        clock=lambda: float(next(seconds)),
        sleep=lambda seconds: None,
    )
    with pytest.raises(Stopped):
        while True:
            past_of(LogReader(before.log), Budget(), DAY, patience)


def test_reading_leaves_half_of_the_time_to_others() -> None:
    """It sleeps as long as it worked."""
    times, slept = iter([0.0, 0.0, 0.25, 0.5]), list[float]()
    patience = Patience(clock=lambda: next(times), sleep=slept.append)
    patience.rest()
    assert slept == [0.25]

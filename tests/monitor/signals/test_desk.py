"""What a desk sees, and who is told of it."""

from monitor.signals.desk import Desk, News
from monitor.signals.machines import Machines
from signals.records import Record
from signals.row import Budget
from tests.featurizer.market import START
from tests.monitor.signals.world import said
from tests.monitor.world import SECOND


class Watched:
    """A desk at a time that the test says, and the news of it."""

    def __init__(self) -> None:
        self.second, self.news = 0.0, list[News]()
        self.desk = Desk(lambda: START / 1e6 + self.second)
        self.machines = Machines(Budget())

    def take(self, second: int, **more: object) -> list[Record]:
        """Have a prediction of a second made, recorded and shown in that second."""
        self.second = second
        made = said(second, **more)
        records = self.machines.take(made, 0, second)
        states = {made.product_id: self.machines.state(made.product_id)}
        self.desk.take(records, states, Budget())
        return records

    def told(self) -> list[list[tuple[str, str]]]:
        """What each piece of news says of where products stand."""
        return [[(s.product_id, s.detail or s.mode) for s in news.standings] for news in self.news]


def test_newest_row_and_record_are_there_by_product() -> None:
    """Also what no record was made of."""
    watched = Watched()
    [record] = watched.take(0)
    watched.take(1, product_id="ETH-USD")
    watched.take(2)
    assert watched.desk.newest_record("BTC-USD") != record  # calm since the first second
    newest = watched.desk.newest_row("BTC-USD")
    assert newest is not None and newest.time_us == START + 2 * SECOND
    assert [now.product_id for now in watched.desk.standings()] == ["BTC-USD", "ETH-USD"]
    assert watched.desk.newest_row("LTC-USD") is watched.desk.standing("LTC-USD") is None


def test_a_restored_record_is_no_news_and_no_standing() -> None:
    """What the product says now is not known from it."""
    watched = Watched()
    [record] = watched.machines.take(said(0), 0, 0)
    watched.desk.subscribe(watched.news.append)
    watched.desk.restore(record)
    assert watched.desk.newest_record("BTC-USD") == record
    assert watched.desk.standings() == [] and watched.news == []


def test_news_are_told_until_the_subscription_ends() -> None:
    """Records with where their products stand."""
    watched = Watched()
    leave = watched.desk.subscribe(watched.news.append)
    records = watched.take(0)
    leave()
    watched.take(1)
    assert [news.records for news in watched.news] == [records]
    assert watched.told() == [[("BTC-USD", "start")]]


def test_silence_is_told_once_and_ends_with_a_row() -> None:
    """A product that nothing comes of any more is news to those who show it."""
    watched = Watched()
    for second in range(2):
        watched.take(second)
    watched.desk.subscribe(watched.news.append)
    for watched.second in (10.0, 17.0, 18.0):
        watched.desk.look()
    watched.take(19)
    watched.desk.look()
    assert watched.told() == [[("BTC-USD", "silent")], [("BTC-USD", "gap")]]
    standing = watched.desk.standing("BTC-USD")
    assert standing is not None and standing.age_seconds == 0


def test_what_is_silent_from_the_start_is_told_once() -> None:
    """A backlog is taken long after it was received."""
    watched = Watched()
    watched.desk.subscribe(watched.news.append)
    watched.take(100, received_us=START)
    watched.desk.look()
    assert watched.told() == [[("BTC-USD", "silent")]]

"""Pages of predictions from the topics."""

import pytest

from ingestor.topics import OUTCOMES, PREDICTIONS
from monitor.http.board import Board, shown_of
from monitor.http.store import BadCursor, Page, Query, TopicStore
from monitor.outcome import encode
from monitor.reading import Reopened
from plumbing.kafka import Partition
from tests.featurizer.market import START, tick
from tests.monitor.test_follow import Monitor
from tests.monitor.test_quality import judged
from tests.monitor.world import SECOND, Log, LogReader, predicted

COUNT = 300
BTC = "BTC-USD"


@pytest.fixture(scope="module")
def log() -> Log:
    """Five minutes of two products in one partition, with outcomes for the first four."""
    log = Log(partitions=1)
    for n in range(COUNT):
        for product in (BTC, "ETH-USD"):
            event = tick(START + n * SECOND, trade_id=n, product_id=product)
            log.event(event)
            log.prediction(predicted(event))
    Monitor(log).drain()
    return log


def store_of(log: Log, **more: int) -> TopicStore:
    """A store over this log with the latest predictions in memory, for which time stands still."""
    board = Board()
    for record in log.records[Partition(PREDICTIONS.name, 0)][-2:]:
        shown = shown_of(record)
        assert shown is not None
        board.show(shown)
    return TopicStore(Reopened(lambda: LogReader(log, 1, 200)), board, clock=lambda: 0.0, **more)


def trades(page: Page) -> list[int]:
    """The trade ids of a page."""
    return [found.prediction.trade_id for found in page.items]


def test_newest_come_first(log: Log) -> None:
    """Without bounds the page holds the latest predictions of the product alone."""
    page = store_of(log).page(Query(BTC, limit=3))
    assert trades(page) == [299, 298, 297]
    assert {found.prediction.product_id for found in page.items} == {BTC}


def test_bounds_are_event_time(log: Log) -> None:
    """Both ends belong to the answer."""
    query = Query(BTC, START + 10 * SECOND, START + 12 * SECOND)
    page = store_of(log).page(query)
    assert (trades(page), page.next) == ([12, 11, 10], None)


def test_cursor_walks_through_all_pages_without_gap_or_repeat(log: Log) -> None:
    """New predictions meanwhile change nothing in the pages that follow."""
    store = store_of(log)
    cursor, seen = None, []
    while True:
        page = store.page(Query(BTC, limit=70, cursor=cursor))
        seen += trades(page)
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(range(COUNT - 1, -1, -1))


def test_matured_predictions_carry_their_outcome(log: Log) -> None:
    """Outcomes are found in the topic; those that wait have none."""
    page = store_of(log).page(Query(BTC, limit=1_000))
    assert [found.outcome is not None for found in page.items] == [False] * 61 + [True] * 239
    for found in page.items[61:]:
        assert found.outcome is not None
        assert found.outcome.prediction_id == found.prediction.prediction_id


def test_waiting_predictions_are_not_searched_for(log: Log) -> None:
    """What is known to have no outcome yet costs no reading of ``outcomes``."""
    monitor = Monitor(log)
    monitor.drain()
    store = TopicStore(Reopened(lambda: LogReader(log, 1, 200)), monitor.board, scan_records=1_000)
    page = store.page(Query(BTC, limit=61))
    assert [found.outcome for found in page.items] == [None] * 61
    assert page.outcomes_complete


def test_scan_is_bounded_and_goes_on_with_the_cursor(log: Log) -> None:
    """A page may end before it is full; its cursor continues where reading stopped."""
    store = store_of(log, scan_records=100)
    query = Query(BTC, to_us=START)
    page = store.page(query)
    assert (trades(page), page.scanned) == ([], 100)
    pages = 1
    while page.next is not None:
        page = store.page(Query(BTC, to_us=START, cursor=page.next))
        pages += 1
    assert (trades(page), pages) == ([0], 6)


def test_page_says_when_outcomes_were_not_all_searched() -> None:
    """A missing outcome is not taken for one that does not exist."""
    log = Log(partitions=1)
    log.prediction(predicted(tick(START)))
    other = encode(judged(1, True).outcome)
    for _ in range(2_500):
        log.append(OUTCOMES.name, BTC, other)
    assert not store_of(log, scan_records=1_000).page(Query(BTC)).outcomes_complete
    assert store_of(log, scan_records=9_000).page(Query(BTC)).outcomes_complete


@pytest.mark.parametrize("cursor", ["", "x", "0.5", "0.x.00000000", "0.5.00000000", "٣.٣.aa"])
def test_foreign_cursor_is_refused(log: Log, cursor: str) -> None:
    """A cursor belongs to one query."""
    with pytest.raises(BadCursor, match=r"found .*expected"):
        store_of(log).page(Query(BTC, cursor=cursor))


def test_cursor_of_another_query_is_refused(log: Log) -> None:
    """Other bounds make another query."""
    store = store_of(log)
    page = store.page(Query(BTC, limit=5))
    with pytest.raises(BadCursor, match="another query"):
        store.page(Query(BTC, from_us=START, cursor=page.next))


def test_product_without_predictions_has_an_empty_page(log: Log) -> None:
    """Nothing is read for a product that is not known."""
    assert store_of(log).page(Query("DOGE-USD")) == Page([], None, 0)

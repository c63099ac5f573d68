"""Publishing: acknowledged, in order, and never left behind."""

import threading

import pytest
from prometheus_client import CollectorRegistry

from ingestor.errors import Undelivered
from ingestor.metrics import Metrics
from ingestor.publisher import Courier, Outgoing, Publisher
from plumbing.backoff import Backoff
from tests.ingestor.kafka import Memory


def records(text: str) -> list[Outgoing]:
    """Return one record a letter; a capital is a Break."""
    return [Outgoing("ticks", "BTC-USD", c.encode(), alone=c.isupper()) for c in text]


def publisher(memory: Memory, delay: float = 0.0) -> tuple[Publisher, CollectorRegistry]:
    """Return a publisher to memory whose delays are all the same."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, ["BTC-USD"])
    return Publisher(memory.open, Backoff(delay, delay, draw=max), metrics), registry


def test_a_batch_is_acknowledged_at_once() -> None:
    """Ticks and Beats of a batch go in one flush."""
    memory = Memory()
    publisher(memory)[0].deliver(records("abc"))
    assert memory.flushes == [["a", "b", "c"]]


def test_nothing_overtakes_a_break() -> None:
    """What stands before a Break is acknowledged before it, and it before what follows."""
    memory = Memory()
    publisher(memory)[0].deliver(records("abXcd"))
    assert memory.flushes == [["a", "b"], ["X"], ["c", "d"]]


def test_a_failed_batch_is_sent_again_by_a_new_producer() -> None:
    """Failures are counted; what was not acknowledged comes, in order, however long it takes."""
    memory = Memory(failures=3)
    kept, registry = publisher(memory)
    kept.deliver(records("abXc"))
    assert memory.flushes == [["a", "b"], ["X"], ["c"]]
    assert (memory.opened, memory.closed) == (4, 3)
    assert registry.get_sample_value("ingestor_publish_failures_total") == 3


def test_a_producer_that_cannot_be_opened_again_is_tried_again() -> None:
    """While the broker is away, opening fails too; the batch is kept."""
    memory = Memory(failures=1)
    answers = iter([memory, OSError("no broker"), OSError("no broker"), memory])

    def open_producer() -> Memory:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = Publisher(open_producer, Backoff(0.0, 0.0), Metrics(CollectorRegistry(), []))
    kept.deliver(records("ab"))
    assert memory.flushes == [["a", "b"]]


def test_not_well_while_failing_and_well_again() -> None:
    """Readiness sees a batch that fails, until it has arrived."""
    memory = Memory(failures=1)
    kept, _ = publisher(memory)
    seen: list[bool] = []
    memory.close = lambda: seen.append(kept.well)  # type: ignore[method-assign]
    assert kept.well
    kept.deliver(records("a"))
    assert (seen, kept.well) == ([False], True)


def test_abandoning_says_what_is_lost() -> None:
    """Only an end that was called for gives a batch up, and it is said how much."""
    memory = Memory(failures=10**9)
    kept, _ = publisher(memory, delay=60)
    courier = Courier()
    future = courier.submit(lambda: kept.deliver(records("abc")))
    kept.abandon()
    with pytest.raises(Undelivered, match="3 records"):
        future.result(timeout=60)


def test_the_courier_works_off_in_order() -> None:
    """One thread makes the calls one after the other and hands back what they raised."""
    courier = Courier()
    seen: list[str] = []
    courier.submit(lambda: seen.append(threading.current_thread().name))
    failed = courier.submit(lambda: [][0])
    courier.submit(lambda: seen.append("last")).result(timeout=60)
    assert seen == ["courier", "last"]
    with pytest.raises(IndexError):
        failed.result(timeout=60)

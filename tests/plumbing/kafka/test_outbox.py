"""Publishing: acknowledged, in order, and never left behind in silence."""

import threading
from collections.abc import Mapping

import pytest

from plumbing.backoff import Backoff
from plumbing.kafka import DeliveryError, Outbox, Outgoing
from plumbing.kafka.outbox import HOLD_SECONDS
from plumbing.stop import Stop


class Memory:
    """A broker in memory: keeps what was acknowledged, by flush; ``failures`` flushes fail first.

    Time passes only by waiting for it.
    """

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.flushes: list[list[str]] = []
        self.opened = self.closed = self.told = 0
        self.took: list[float] = []
        self.now = 0.0
        self.beats = 0
        self.stop = Stop()
        self._pending: list[str] = []

    def outbox(self, delay: float = 0.0, hold_seconds: float = HOLD_SECONDS) -> Outbox:
        return Outbox(
            self.open,
            self.wait,
            hold_seconds=hold_seconds,
            backoff=Backoff(delay, delay, draw=max),
            failed=self.failed,
            took=self.took.append,
            beat=self.beat,
            clock=lambda: self.now,
            now_us=lambda: 7,
        )

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.stop.requested

    def failed(self) -> None:
        self.told += 1

    def beat(self) -> None:
        self.beats += 1

    # as a producer
    def open(self) -> "Memory":
        self.opened += 1
        self._pending = []
        return self

    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> None:
        self._pending.append(value.decode())

    def flush(self) -> None:
        pending, self._pending = self._pending, []
        if self.failures:
            self.failures -= 1
            raise DeliveryError("no acknowledgement")
        self.flushes.append(pending)

    def close(self) -> None:
        self.closed += 1


def records(text: str) -> list[Outgoing]:
    """Return one record a letter; a capital stands alone."""
    return [Outgoing("ticks", "BTC-USD", c.encode(), alone=c.isupper()) for c in text]


def test_a_batch_is_acknowledged_at_once() -> None:
    """What may go together goes in one flush."""
    memory = Memory()
    memory.outbox().deliver(records("abc"))
    assert memory.flushes == [["a", "b", "c"]]


def test_nothing_overtakes_what_stands_alone() -> None:
    """What stands before it is acknowledged before it, and it before what follows."""
    memory = Memory()
    memory.outbox().deliver(records("abXcd"))
    assert memory.flushes == [["a", "b"], ["X"], ["c", "d"]]


def test_each_record_hears_that_the_broker_has_it() -> None:
    """After its flush, with the wall clock, and not while the flush fails."""
    memory, heard = Memory(failures=1), list[tuple[str, int, int]]()

    def hears(name: str) -> Outgoing:
        return Outgoing(
            "ticks",
            "",
            name.encode(),
            acknowledged=lambda now_us: heard.append((name, now_us, len(memory.flushes))),
        )

    memory.outbox().deliver([hears("a"), hears("b")])
    assert heard == [("a", 7, 1), ("b", 7, 1)]


def test_a_failed_batch_is_sent_again_by_a_new_producer() -> None:
    """Failures are told; what was not acknowledged comes, in order, however often it fails."""
    memory = Memory(failures=3)
    memory.outbox().deliver(records("abXc"))
    assert memory.flushes == [["a", "b"], ["X"], ["c"]]
    assert (memory.opened, memory.closed) == (4, 3)
    assert (memory.told, memory.beats) == (3, 3)


def test_a_producer_that_cannot_be_opened_again_is_tried_again() -> None:
    """While the broker is away, opening fails too; the batch is kept."""
    memory = Memory(failures=1)
    answers = iter([memory, OSError("no broker"), OSError("no broker"), memory])

    def open_producer() -> Memory:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    Outbox(open_producer, memory.wait, backoff=Backoff(0.0, 0.0)).deliver(records("ab"))
    assert memory.flushes == [["a", "b"]]


def test_a_producer_that_cannot_be_closed_is_let_go_of() -> None:
    """The batch goes out by the next one all the same."""
    memory = Memory(failures=1)
    broken = iter([True, False])

    def close() -> None:
        if next(broken):
            raise OSError("no socket")

    memory.close = close  # type: ignore[method-assign]
    kept = memory.outbox()
    kept.deliver(records("ab"))
    kept.close()
    assert (memory.flushes, memory.opened) == ([["a", "b"]], 2)


def test_not_well_while_failing_and_well_again() -> None:
    """Readiness sees a batch that fails, until it has arrived."""
    memory = Memory(failures=1)
    kept = memory.outbox()
    seen: list[bool] = []
    memory.close = lambda: seen.append(kept.well)  # type: ignore[method-assign]
    assert kept.well
    kept.deliver(records("a"))
    assert (seen, kept.well) == ([False], True)


def test_not_well_while_a_batch_takes_too_long() -> None:
    """A flush that does not come back is no failure yet, but no health either."""
    memory, seen = Memory(), list[bool]()
    kept = memory.outbox()
    flush = memory.flush

    def slow() -> None:
        for _ in range(2):
            seen.append(kept.well)
            memory.now += 5.0
        flush()

    memory.flush = slow  # type: ignore[method-assign]
    kept.deliver(records("a"))
    assert (seen, kept.well, memory.took) == ([True, False], True, [10.0])


def test_an_outage_is_held_within_the_bound() -> None:
    """Beyond it the batch is handed back, with what is left of it and why; and all is well."""
    memory = Memory(failures=10**9)
    kept = memory.outbox(delay=7.0)
    with pytest.raises(DeliveryError, match=r"2 records .*: .*no acknowledgement"):
        kept.deliver(records("ab"))
    assert (memory.told, memory.now) == (9, 56.0)
    assert (memory.took, kept.well) == ([], True)


def test_what_comes_after_an_outage_is_delivered() -> None:
    """The next batch has the whole bound again, and a producer of its own."""
    memory = Memory(failures=9)
    kept = memory.outbox(delay=7.0)
    with pytest.raises(DeliveryError):
        kept.deliver(records("a"))
    kept.deliver(records("b"))
    assert memory.flushes == [["b"]]


def test_giving_up_says_what_is_lost() -> None:
    """An end that was called for gives a batch up at once, and it is said how much."""
    memory, given_up = Memory(failures=10**9), Stop()
    kept = Outbox(memory.open, given_up.wait, backoff=Backoff(50.0, 50.0, draw=max))
    raised: list[Exception] = []

    def deliver() -> None:
        try:
            kept.deliver(records("abc"))
        except DeliveryError as exc:
            raised.append(exc)

    thread = threading.Thread(target=deliver)
    thread.start()
    given_up.request()
    thread.join(timeout=40)
    assert "3 records" in str(raised[0])

"""The loop of every stream: sessions one after the other, through outages, to the end."""

import threading

import pytest
from kafka.errors import KafkaConfigurationError, KafkaTimeoutError

from plumbing.backoff import Backoff
from plumbing.kafka import DeliveryError, Outbox, Outgoing, TopicError, Worker, always
from plumbing.stop import Stop
from tests.waiting import eventually


class World:
    """Sessions that do as they are told; time passes only by waiting and by ``busy`` steps."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.refusals: list[Exception] = []
        self.journal: list[str] = []
        self.ready = True
        self.now = self.busy = 0.0
        self.beats = 0
        self.waits: list[float] = []
        self.requested = False
        self.steps_left = 99

    def worker(self, **more: object) -> Worker:
        settings: dict[str, object] = {
            "beat": self.beat,
            "failed": lambda: self.journal.append("failed"),
            "backoff": Backoff(1.0, 8.0, draw=max),
            "clock": lambda: self.now,
        }
        return Worker("test", self.open, self, **(settings | more))  # type: ignore[arg-type]

    def beat(self) -> None:
        self.beats += 1

    # as a stop
    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.requested

    # as sessions
    def open(self) -> "World":
        if self.refusals:
            raise self.refusals.pop(0)
        self.journal.append("open")
        return self

    def step(self) -> None:
        self.now += self.busy
        self.steps_left -= 1
        self.requested = not self.steps_left
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.journal.append("step")

    def close(self) -> None:
        self.journal.append("close")


def test_it_opens_once_steps_and_closes() -> None:
    """The wish for the end lets the step under way finish; then all is closed."""
    world = World()
    world.steps_left = 3
    world.worker().run()
    assert world.journal == ["open", "step", "step", "step", "close"]
    assert (world.waits, world.beats) == ([], 3)


@pytest.mark.parametrize(
    "failure",
    [KafkaTimeoutError("away"), DeliveryError("away"), TopicError("missing"), OSError("refused")],
)
def test_after_an_outage_it_begins_anew(failure: Exception) -> None:
    """The session is closed, as it may have moved on too far; the next one goes on."""
    world = World(None, failure)
    world.steps_left = 3
    world.worker().run()
    assert world.journal == ["open", "step", "failed", "close", "open", "step", "close"]
    assert (world.waits, world.beats) == ([1.0], 3)


def test_a_broker_that_comes_late_is_waited_for() -> None:
    """Each attempt is told and the delays grow; nothing ends."""
    world = World()
    world.refusals = [KafkaTimeoutError("no broker")] * 5
    world.steps_left = 1
    world.worker().run()
    assert world.journal == ["failed"] * 5 + ["open", "step", "close"]
    assert world.waits == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_a_session_that_lasted_lets_the_delays_start_afresh() -> None:
    """An outage a day later is another outage; one that is back at once is the same."""
    away = KafkaTimeoutError("away")
    world = World(away, None, away, away)
    world.busy = 15.0
    world.steps_left = 5
    world.worker().run()
    assert world.waits == [1.0, 1.0, 2.0]


@pytest.mark.parametrize("failure", [KafkaConfigurationError("sasl"), ValueError("ours")])
def test_what_waiting_cannot_mend_ends_the_work(failure: Exception) -> None:
    """Wrong settings and errors of ours are raised, with everything closed."""
    world = World(None, failure)
    with pytest.raises(type(failure)):
        world.worker().run()
    assert world.journal == ["open", "step", "close"]


def test_beside_others_it_goes_on_after_any_failure() -> None:
    """What stands in the same process must not lose it."""
    world = World(ValueError("ours"))
    world.steps_left = 2
    world.worker(passing=always).run()
    assert world.journal == ["open", "failed", "close", "open", "step", "close"]


def test_a_pace_is_kept() -> None:
    """The pause is what a step left of the time; after a longer one there is none."""
    world = World()
    worker = world.worker(pace=5.0)
    world.busy = 2.0
    assert worker.turn() == 3.0
    world.busy = 6.0
    assert worker.turn() == 0.0


def test_a_session_that_cannot_be_closed_is_let_go_of() -> None:
    """The next one is opened all the same."""
    world = World(OSError("away"))
    world.steps_left = 2

    def close() -> None:
        world.journal.append("close")
        raise OSError("no socket")

    world.close = close  # type: ignore[method-assign]
    world.worker().run()
    assert world.journal == ["open", "failed", "close", "open", "step", "close"]


def test_ready_is_connected_with_its_state_rebuilt() -> None:
    """Not before the first step, nor without its state, nor after a failure or the end."""
    world = World(None, None, OSError("away"))
    worker, seen = world.worker(), list[list[str]]()

    def missing() -> None:
        seen.append([name for name, there in worker.ready().items() if not there])

    missing()
    world.ready = False
    worker.turn()
    missing()
    world.ready = True
    worker.turn()
    missing()
    worker.turn()
    missing()
    world.requested = True
    worker.run()
    missing()
    assert seen == [
        ["kafka", "state"],
        ["state"],
        [],
        ["kafka", "state"],
        ["kafka", "state", "running"],
    ]


def test_it_is_not_ready_while_its_outbox_holds_a_batch() -> None:
    """Whoever reads cannot do its job while nothing it says is taken; at the end it is closed."""
    seen: list[bool] = []

    class Refusing:
        closed = False

        def close(self) -> None:
            self.closed = True

        @property
        def well(self) -> bool:
            return bool(seen)

    world, outbox = World(), Refusing()
    worker = world.worker(outbox=outbox)
    worker.turn()
    assert not worker.ready()["kafka"]
    seen.append(True)
    assert worker.ready()["kafka"]
    worker.close()
    assert outbox.closed


def test_in_a_thread_it_ends_when_it_is_told_to() -> None:
    """``end`` waits for the batch under way."""
    stop, world = Stop(), World()
    world.steps_left = -1
    turned = threading.Event()
    worker = Worker("test", world.open, stop, beat=turned.set).start()
    assert turned.wait(60) and worker.alive
    worker.end(60)
    assert not worker.alive
    assert world.journal[-1] == "close"


def test_an_end_before_the_start_waits_for_nothing() -> None:
    """A worker that never started has no thread to wait for."""
    worker = Worker("test", World().open, Stop())
    worker.end(60)
    assert not worker.alive


def test_a_held_batch_ends_with_the_worker() -> None:
    """SIGTERM in an outage: nothing is committed, and the process ends."""
    stop, committed = Stop(), list[str]()

    def refuse() -> object:
        raise OSError("no broker")

    outbox = Outbox(refuse, stop.wait, backoff=Backoff(50.0, draw=max))  # type: ignore[arg-type]

    class Publishing(World):
        def step(self) -> None:
            outbox.deliver([])
            outbox.deliver([Outgoing("features", "BTC-USD", b"{}")])
            committed.append("committed")

    worker = Worker("test", Publishing().open, stop, outbox=outbox).start()
    eventually(lambda: not outbox.well)
    worker.end(60)
    assert (worker.alive, committed) == (False, [])

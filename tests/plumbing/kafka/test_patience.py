"""Trying again until it works."""

import pytest
from kafka.errors import KafkaConfigurationError, KafkaTimeoutError

from plumbing.backoff import Backoff
from plumbing.kafka import TopicError, persist


class World:
    """Fails as often as it is told to; time passes only by waiting."""

    def __init__(self, *failures: Exception, end_after: int = 99) -> None:
        self.failures, self.end_after = list(failures), end_after
        self.now = 0.0
        self.told: list[tuple[str, float]] = []
        self.waits: list[float] = []

    def attempt(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.waits.append(seconds)
        return len(self.waits) >= self.end_after

    def failed(self, exc: Exception, delay: float) -> None:
        self.told.append((str(exc), delay))

    def persist(self, timeout: float = 100.0) -> bool:
        return persist(
            self.attempt,
            wait=self.wait,
            failed=self.failed,
            timeout=timeout,
            backoff=Backoff(0.5, 5.0, draw=max),
            clock=lambda: self.now,
        )


def test_what_works_at_once_is_done_once() -> None:
    """No failure, no waiting."""
    world = World()
    assert world.persist()
    assert (world.told, world.waits) == ([], [])


def test_failures_that_pass_are_told_and_tried_again() -> None:
    """Each failure is told with the delay after it, which grows up to a bound."""
    world = World(*[TopicError(f"no {number}") for number in range(6)])
    assert world.persist()
    assert world.waits == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert world.told[0] == ("no 0", 0.5) and len(world.told) == 6


def test_the_last_failure_is_raised_when_the_time_is_over() -> None:
    """Not before: as long as another attempt fits in, it is made."""
    world = World(*[KafkaTimeoutError("away")] * 50)
    with pytest.raises(KafkaTimeoutError, match="away"):
        world.persist(timeout=8.0)
    assert sum(world.waits) == 7.5


def test_without_time_there_is_one_attempt() -> None:
    """A timeout of 0 tries once and raises what came."""
    world = World(OSError("refused"))
    with pytest.raises(OSError, match="refused"):
        world.persist(timeout=0.0)
    assert world.waits == []


def test_the_end_may_be_wished_for_meanwhile() -> None:
    """Then nothing more is tried, and that is no failure."""
    world = World(*[TopicError("missing")] * 50, end_after=3)
    assert not world.persist()
    assert len(world.told) == 3


@pytest.mark.parametrize("error", [KafkaConfigurationError("sasl"), ValueError("ours")])
def test_what_waiting_cannot_mend_is_raised_at_once(error: Exception) -> None:
    """Wrong settings and errors of ours end it with the first attempt."""
    world = World(error)
    with pytest.raises(type(error)):
        world.persist()
    assert world.waits == []

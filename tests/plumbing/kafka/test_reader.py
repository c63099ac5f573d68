"""Committing, with a broker that may be away."""

import pytest
from kafka.errors import CommitFailedError, KafkaTimeoutError

from plumbing.kafka.reader import committed


class Raw:
    """A client that raises what it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked: list[dict] = []

    def commit(self, offsets: dict, timeout_ms: int) -> None:
        self.asked.append(offsets)
        if self.failure is not None:
            raise self.failure


@pytest.mark.parametrize("failure", [KafkaTimeoutError("away"), CommitFailedError(), OSError()])
def test_a_commit_that_fails_is_said_and_ends_nothing(failure: Exception) -> None:
    """The next commit covers it; partitions that have moved on are read again by their owner."""
    raw = Raw(failure)
    assert not committed(raw, {"ticks": 1})
    raw.failure = None
    assert committed(raw, {"ticks": 2})
    assert raw.asked == [{"ticks": 1}, {"ticks": 2}]


def test_nothing_to_commit_asks_nobody() -> None:
    """It is no failure either, with the broker away."""
    raw = Raw(KafkaTimeoutError("away"))
    assert committed(raw, {})
    assert raw.asked == []

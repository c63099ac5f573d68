"""Asking and committing, with a broker that may be away or lead no more."""

import pytest
from kafka import TopicPartition
from kafka.errors import CommitFailedError, KafkaTimeoutError

from plumbing.kafka.offsets import CALL_TIMEOUT_MS
from plumbing.kafka.reader import bounds_of, committed
from plumbing.kafka.records import Names, Partition


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


class Moved:
    """A client that knows of a partition's new leader only once it looks again."""

    def __init__(self, looks_needed: int) -> None:
        self.looks_needed, self.spent_ms = looks_needed, 0
        self._cluster = self

    def request_update(self) -> None:
        """Look at who leads now."""
        self.looks_needed -= 1

    def end_offsets(self, wanted: list[TopicPartition], timeout_ms: int) -> dict:
        if self.looks_needed > 0:
            self.spent_ms += timeout_ms
            raise KafkaTimeoutError("asked the leader of before until the time was over")
        return dict.fromkeys(wanted, 7)


def test_a_leader_that_moved_is_found_by_another_look() -> None:
    """Otherwise kafka-python asks the one of before for the whole time, and then fails."""
    raw, home = Moved(2), Partition("ticks", 3)
    assert bounds_of(raw, raw.end_offsets, Names("run-"), [home]) == {home: 7}
    assert raw.spent_ms < CALL_TIMEOUT_MS / 2


def test_bounds_that_nobody_tells_fail_after_their_time() -> None:
    """No answer by any leader is the caller's to handle."""
    raw = Moved(1_000)
    with pytest.raises(KafkaTimeoutError):
        bounds_of(raw, raw.end_offsets, Names(""), [Partition("ticks", 3)])
    assert raw.spent_ms == CALL_TIMEOUT_MS

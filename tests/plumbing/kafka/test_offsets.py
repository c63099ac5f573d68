"""Offsets are told by whoever leads now, or not at all."""

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError

from plumbing.kafka.offsets import CALL_TIMEOUT_MS, OFFSETS_TRY_MS, offsets_of
from tests.plumbing.kafka.test_reader import Moved

HOME = TopicPartition("ticks", 3)


def test_who_leads_is_looked_for_anew_after_each_try() -> None:
    """Two tries that go to the leader of before cost two short times."""
    raw = Moved(2)
    assert offsets_of(raw, raw.end_offsets, [HOME]) == {HOME: 7}
    assert raw.spent_ms == 2 * OFFSETS_TRY_MS and raw.looks_needed == 0


@pytest.mark.parametrize("within_ms", [0, OFFSETS_TRY_MS, CALL_TIMEOUT_MS])
def test_no_leader_is_a_failure_after_the_time_given(within_ms: int) -> None:
    """However short that is."""
    raw = Moved(1_000)
    with pytest.raises(KafkaTimeoutError):
        offsets_of(raw, raw.end_offsets, [HOME], within_ms)
    assert raw.spent_ms == within_ms

"""Copies of what is kept."""

import pytest
from pydantic import ValidationError

from plumbing.settings import KafkaSettings


@pytest.mark.parametrize(("copies", "needed"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_one_broker_may_be_away_from_three_copies_on(copies: int, needed: int) -> None:
    """Unset, all copies but one must have a record; with fewer than three, one."""
    assert KafkaSettings(replication_factor=copies).in_sync_replicas == needed


def test_the_number_may_be_stated() -> None:
    """What is set stands."""
    assert KafkaSettings(replication_factor=5, min_insync_replicas=3).in_sync_replicas == 3


def test_more_than_there_are_can_never_be_in_sync() -> None:
    """It is refused at the start, not at the first record."""
    with pytest.raises(ValidationError, match="found min_insync_replicas 2 of 1 copies"):
        KafkaSettings(min_insync_replicas=2)

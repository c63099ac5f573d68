"""The stages from socket to prediction."""

import pytest

from ingestor.stages import STAGES, seconds_between
from plumbing.metrics import BUCKETS


def test_the_parts_add_up_to_the_whole() -> None:
    """The last stage is all of it, and its budget the sum of those before."""
    *parts, whole = STAGES
    assert sum(stage.budget_seconds for stage in parts) == pytest.approx(whole.budget_seconds)
    assert whole.name == "tick_to_prediction"


def test_each_budget_is_a_bucket() -> None:
    """So the share within a budget is read exactly off the histogram; 0.8 s is the SLO's."""
    assert {stage.budget_seconds for stage in STAGES} | {0.8} <= set(BUCKETS["seconds"])
    assert all(list(bounds) == sorted(set(bounds)) for bounds in BUCKETS.values())


def test_a_stage_stands_once() -> None:
    """A name is a label of one service's metric."""
    assert len({stage.name for stage in STAGES}) == len(STAGES)


@pytest.mark.parametrize(
    ("start_us", "end_us", "seconds"),
    [(1_000_000, 3_500_000, 2.5), (5, 5, 0.0), (2_000_000, 1_000_000, 0.0)],
)
def test_no_stage_takes_less_than_no_time(start_us: int, end_us: int, seconds: float) -> None:
    """Clocks that differ by more than the stage took give 0."""
    assert seconds_between(start_us, end_us) == seconds

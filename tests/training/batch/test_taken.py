"""What becomes of events by columns is what becomes of them one by one."""

import pytest

from featurizer.slots import Timeline
from tests.training.batch.wild import wild
from training.batch.keys import keys_of
from training.batch.taken import TAKEN, fates_of


@pytest.mark.parametrize("seed", range(6))
def test_fates_are_those_of_a_timeline(seed: int) -> None:
    """From the beginning, and from where a part of them was taken before."""
    events = wild(seed, 600, 0.8)
    timeline = Timeline("f")
    wanted = [timeline.take(event) for event in events]
    assert {*wanted} == {*TAKEN}
    assert [TAKEN[fate] for fate in fates_of(keys_of(events))] == wanted
    for cut in (1, 2, 500, 501, 502, len(events) - 1):
        timeline = Timeline("f")
        for event in events[:cut]:
            timeline.take(event)
        later = fates_of(keys_of(events[cut:]), timeline.key)
        assert [TAKEN[fate] for fate in later] == wanted[cut:]

"""Features by columns of any definition, also of one that is not among ours yet."""

from math import isnan, sqrt

import numpy as np

from featurizer.features import Feature
from featurizer.level.run import Run
from featurizer.slots import MICROSECONDS, Taken, Timeline
from featurizer.statistic import LOG_RETURN, Statistic, mean
from featurizer.windows import Windows, plan_of
from ingestor.tick import Event
from tests.training.batch.wild import wild
from training.batch.keys import fetch_of, keys_of
from training.batch.matrix import matrix
from training.batch.seconds import seconds_of
from training.batch.squares import Squares
from training.batch.taken import fates_of

QUIET_SHARE = Statistic(
    "quiet_share", "fraction", "", lambda slot: 1.0 * (slot.ticks == 0), mean, with_now=False
)
ROUGH_SPREAD = Statistic(
    "rough_spread", "fraction", "", lambda slot: slot.spread, lambda total, n, w: sqrt(total) / n
)
OURS_TO_BE = (
    Feature(QUIET_SHARE, 60, 0.0, ""),
    Feature(ROUGH_SPREAD, 45, 0.0, ""),
    Feature(LOG_RETURN, 17, 0.0, ""),
)
Values = list[float | None]


def one_by_one(events: list[Event]) -> dict[int, Values]:
    """The features of each second's last Tick or Beat, as the engine's windows make them."""
    timeline, windows = Timeline("f"), Windows(plan_of(OURS_TO_BE))
    run, found = Run("P", "f", events[0].time_us, None), dict[int, Values]()
    for event in events:
        taken, now = timeline.take(event), timeline.slots.current
        if taken in (Taken.ACCEPTED, Taken.BEAT):
            assert now is not None
            found[now.second] = [*windows.features(timeline.slots, now, run).values()]
    return found


def test_a_definition_to_come_has_the_same_bits() -> None:
    """A value that numpy does not know is made one by one; the others by columns."""
    events = wild(2, 1_200, 0.97)
    keys, fetch = keys_of(events), fetch_of(events)
    seconds = seconds_of(keys, fates_of(keys), fetch, None)
    run_us = events[0].time_us
    squares = Squares(seconds, Run("P", "f", run_us, None))
    found = matrix(seconds, squares, np.arange(len(seconds)), run_us, OURS_TO_BE)
    values = [[None if isnan(x) else x for x in row] for row in found.tolist()]
    wanted = one_by_one(events)
    assert dict(zip(seconds.closed.second.tolist(), values, strict=True)) == wanted
    assert run_us // MICROSECONDS <= min(wanted)
    for column in zip(*values, strict=True):
        assert len({x for x in column if x is not None}) > 20 and None in column

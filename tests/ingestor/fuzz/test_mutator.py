"""Frames spoilt in every way never stop the ingestor; each has one of three fates."""

import random

import pytest

from ingestor.advanced import parse
from simulator.market import frames
from tests.ingestor.fuzz.fates import fates_of
from tests.ingestor.fuzz.mutator import PRODUCTS, START_US, mutated, spoilt_frames

SEED = 20_261_127


@pytest.mark.parametrize("count", [5_000, pytest.param(50_000, marks=pytest.mark.exhaustive)])
def test_spoilt_frames_never_stop_the_reading(count: int) -> None:
    """Each is events, an ignored kind or a dead letter, and readers can read all that is sent.

    `make fuzz` takes a million.
    """
    fates = fates_of(spoilt_frames(SEED, count), PRODUCTS)
    assert fates.frames == count
    assert fates.events > count // 10
    assert fates.letters > count // 50
    kinds = {reason.split(":")[0] for reason in fates.reasons}
    assert kinds >= {"frame", "ticker", "market_trades", "heartbeats"}


def test_a_seed_gives_the_same_frames() -> None:
    """What was found once can be found again by its seed."""
    made = [frame.data for frame in spoilt_frames(3, 500)]
    assert made == [frame.data for frame in spoilt_frames(3, 500)]
    assert made != [frame.data for frame in spoilt_frames(4, 500)]
    assert len(made) == 500


def test_a_good_frame_is_spoilt_in_many_ways() -> None:
    """The mutator reaches numbers, times, nesting and bytes: the reasons are of many kinds."""
    good = next(frames(SEED, PRODUCTS, START_US))
    draw = random.Random(SEED)
    problems = {
        problem.reason
        for _ in range(500)
        for problem in parse(mutated(draw, good.data), good.time_us).problems
    }
    assert len(problems) > 30

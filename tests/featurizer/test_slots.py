"""Seconds of one product, and what enters them."""

from math import log

import pytest

from featurizer.slots import SIZE, Slots, Taken, Timeline, imbalance_of
from tests.featurizer.market import SECOND, START, beat, break_at, tick

FIRST = START // SECOND


def test_a_second_keeps_its_last_quote() -> None:
    """
    Second   0          1
    Mid      100, 102   |
    """
    timeline = Timeline("f")
    assert timeline.take(tick(START, 99.0, 101.0)) is Taken.ACCEPTED
    assert timeline.take(tick(START + 1, 101.0, 103.0)) is Taken.ACCEPTED
    slot = timeline.slots.at(FIRST)
    assert slot is not None and (slot.mid, slot.ticks) == (102.0, 2)
    assert slot.spread == 2.0 / 102.0


def test_returns_compare_with_the_second_before() -> None:
    """A second without one before it, or behind a Break, has none."""
    timeline = Timeline("f")
    for second, mid in ((0, 100.0), (1, 101.0), (3, 102.0)):
        timeline.take(tick(START + second * SECOND, mid, mid))
    timeline.take(break_at(START + 3 * SECOND + 5))
    timeline.take(tick(START + 4 * SECOND, 103.0, 103.0))
    found = timeline.slots.between(FIRST, FIRST + 4)
    assert [slot.second - FIRST for slot in found] == [0, 1, 3, 4]
    assert [slot.log_return for slot in found] == [None, log(101.0 / 100.0), None, None]
    assert found[1].velocity == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("time_us", "trade_id", "taken"),
    [
        (START, 5, Taken.REPEATED),
        (START, 4, Taken.LATE),
        (START - 1, 9, Taken.LATE),
        (START, 6, Taken.ACCEPTED),
    ],
)
def test_order_is_by_time_and_trade(time_us: int, trade_id: int, taken: Taken) -> None:
    """What is late or repeated changes nothing."""
    timeline = Timeline("f")
    timeline.take(tick(START, 99.0, 101.0, trade_id=5))
    assert timeline.take(tick(time_us, 1.0, 3.0, trade_id=trade_id)) is taken
    slot = timeline.slots.at(FIRST)
    assert slot is not None and slot.mid == (2.0 if taken is Taken.ACCEPTED else 100.0)


def test_a_beat_fills_a_second_and_closes_it() -> None:
    """It has a quote and no tick; a tick of its second that comes later is late."""
    timeline = Timeline("f")
    assert timeline.take(beat(FIRST)) is Taken.BEAT
    assert timeline.take(beat(FIRST)) is Taken.REPEATED
    assert timeline.take(tick(START + SECOND - 1, 1.0, 3.0, trade_id=2**62)) is Taken.LATE
    slot = timeline.slots.at(FIRST)
    assert slot is not None and (slot.ticks, slot.mid) == (0, 100.0)


def test_a_break_inside_a_second_is_noted() -> None:
    """The second it falls into is not joined with the one before it."""
    timeline = Timeline("f")
    timeline.take(tick(START))
    timeline.take(tick(START + SECOND))
    assert timeline.take(break_at(START + SECOND + 7)) is Taken.BREAK
    slot = timeline.slots.current
    assert slot is not None
    assert (slot.joined, slot.broken_us, slot.log_return) == (False, START + SECOND + 7, None)


def test_seconds_too_old_are_forgotten() -> None:
    """So many seconds are kept; the one before them has given its place away."""
    timeline = Timeline("f")
    for second in range(SIZE + 1):
        timeline.take(beat(FIRST + second))
    assert timeline.slots.at(FIRST) is None
    kept = timeline.slots.between(FIRST + 1, FIRST + SIZE)
    assert [slot.second for slot in kept] == list(range(FIRST + 1, FIRST + SIZE + 1))
    assert Slots().between(2, 1) == []


@pytest.mark.parametrize(
    ("bid", "ask", "imbalance"),
    [(3.0, 1.0, 0.5), (1.0, 3.0, -0.5), (0.0, 0.0, None), (None, 1.0, None), (1.0, None, None)],
)
def test_imbalance_needs_both_sizes(
    bid: float | None, ask: float | None, imbalance: float | None
) -> None:
    """Between −1 and 1; unknown where a size is, or where there is none at all."""
    assert imbalance_of(bid, ask) == imbalance

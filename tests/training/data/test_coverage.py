"""What of a product's time is known."""

from featurizer.slots import MICROSECONDS
from tests.featurizer.market import START, beat, break_at, tick
from training.data.coverage import Coverage

FIRST = START // MICROSECONDS


def covered(*seconds: float) -> Coverage:
    """Count ticks at these seconds."""
    found = Coverage()
    for second in seconds:
        found.take(tick(START + round(second * MICROSECONDS)))
    return found


def test_seconds_without_an_event_are_gaps() -> None:
    """
    Second   0 1 2 3 4 5 6
    Tick     x x     x   x
    """
    found = covered(0, 0.5, 1, 4, 6)
    assert (found.ticks, found.seconds) == (5, 4)
    assert (found.gaps, found.gap_seconds, found.longest_gap_s) == (2, 3, 2)
    assert found.share == 4 / 7


def test_a_beat_makes_a_second_known() -> None:
    """A silent second in which the feed was alive is no gap."""
    found = covered(0)
    found.take(beat(FIRST + 1))
    found.take(tick(START + 2 * MICROSECONDS))
    assert (found.beats, found.seconds, found.gaps) == (1, 3, 0)


def test_a_late_tick_begins_no_second() -> None:
    """It is counted, and the last time stays the last."""
    found = covered(3, 1)
    assert (found.ticks, found.seconds, found.last_us) == (2, 1, START + 3 * MICROSECONDS)


def test_breaks_are_counted_by_their_reason() -> None:
    """With the trades that are known to be lost; a Break itself is no time."""
    found = covered(0)
    for missing in (None, 4):
        found.take(break_at(START + MICROSECONDS, missing=missing))
    assert (found.breaks, found.missing_trades, found.seconds) == ({"sequence": 2}, 4, 1)


def test_shares_of_nothing_are_zero() -> None:
    """Before the first event; sizes count only where both are known."""
    assert (Coverage().share, Coverage().sized_share) == (0.0, 0.0)
    found = Coverage()
    found.take(tick(START, bid_size=1.0, ask_size=None))
    found.take(tick(START + 1, bid_size=1.0, ask_size=2.0))
    assert found.sized_share == 0.5

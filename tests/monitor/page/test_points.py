"""What the charts show of a stretch of event time."""

import pytest

from monitor.page.points import point_of
from signals.row import Thresholds
from tests.monitor.page.world import said
from tests.monitor.world import TAU

THETA = Thresholds(elevated=0.25, spike=0.3)


def test_a_point_is_in_multiples_of_the_level() -> None:
    """Where volatility or level is unknown, so is the ratio."""
    assert point_of(said(0), "calm", THETA).ratio == pytest.approx(0.3)
    assert point_of(said(0, tau=None), "blind", None).ratio is None
    assert point_of(said(0, realized_volatility_60s=None), "calm", None).ratio is None


def test_of_several_the_last_price_and_the_highest_of_the_rest_stand() -> None:
    """What is short, a spike or a high chance, is not lost among what is calm."""
    high = point_of(
        said(0, 0.6, 0.4, realized_volatility_60s=2 * TAU, bid=1, ask=3), "spike", THETA
    )
    low = point_of(said(1, bid=3, ask=5), "calm", None)
    both = high.then(low)
    assert (both.price, both.time_us) == (4, low.time_us)
    assert (both.ratio, both.score, both.severe, both.mode) == (2, 0.6, 0.4, "spike")
    assert (both.elevated, both.spike) == (None, None)


def test_the_unknown_hides_nothing() -> None:
    """A known value stands beside an unknown one, whichever was first; two unknown ones do not."""
    known, unknown = point_of(said(0), "calm", THETA), point_of(said(1, None, None), "blind", THETA)
    assert known.then(unknown).score == unknown.then(known).score == 0.05
    assert unknown.then(unknown).score is None
    assert (known.then(unknown).mode, known.then(known).mode) == ("blind", "calm")

"""What the page shows of one product now."""

import pytest

from monitor.forecast_record import Said
from monitor.page.glance import feed_kind, glance_of, last_days, state_of
from signals.probabilities import Sums
from tests.featurizer.market import START
from tests.monitor.page.world import Lived, course, said
from tests.monitor.world import SECOND


def test_a_glance_is_of_prediction_and_state() -> None:
    """Values are the newest row's, mode and thresholds the machine's."""
    lived = Lived()
    lived.take(*course(range(3), "spike"))
    (glance,) = lived.live.frame(START + 3 * SECOND).products
    assert (glance.mode, glance.detail, glance.acts) == ("spike", "fact", True)
    assert glance.thresholds is not None
    assert (glance.thresholds.elevated, glance.thresholds.spike) == (0.25, 0.3)
    assert glance.volatility is not None and glance.tau is not None
    assert glance.volatility / glance.tau > 2
    assert glance.time_us == START + 2 * SECOND


def test_old_data_say_nothing_of_now() -> None:
    """Fifteen seconds after its last row a product is blind, since that row."""
    lived = Lived()
    lived.take(*course(range(3), "spike"))
    at = START + 2 * SECOND
    assert lived.live.frame(at + 15 * SECOND).products[0].mode == "spike"
    old = lived.live.frame(at + 16 * SECOND).products[0]
    assert (old.mode, old.detail) == ("blind", "silent")


def test_without_a_machine_a_product_is_blind() -> None:
    """That of another feed is none, nor is one that has taken no row."""
    assert glance_of(said(0), None, START).detail == "unknown"
    lived = Lived()
    lived.take(said(0, feed="other"))
    other = lived.live._states["BTC-USD"]
    assert state_of(said(1), other) is None
    assert state_of(said(1, feed="other"), other) is other


def test_a_seeded_level_does_not_act() -> None:
    """The state is shown with what the level is worth, and others do not act on it."""
    lived = Lived()
    lived.take(said(0, tau_status="seeded"))
    (glance,) = lived.live.frame(START).products
    assert (glance.tau_status, glance.acts) == ("seeded", False)


def test_a_past_that_is_caught_up_says_how_far_it_is_behind() -> None:
    """Of a generated market alone; nobody acts on it."""
    lived = Lived()
    lived.take(said(0, feed="market-7@x", received_us=START + 2_640 * SECOND))
    (glance,) = lived.live.frame(START + 2_641 * SECOND).products
    assert (glance.behind, glance.acts) == (2_640.0, False)
    lived.take(said(2_650, feed="market-7@x"))
    (glance,) = lived.live.frame(START + 2_651 * SECOND).products
    assert (glance.behind, glance.acts) == (0.0, True)


def test_feeds_are_never_mistaken() -> None:
    """Only the exchange's own is live; a market of a seed is generated; the rest are recordings."""
    feeds = ["coinbase", "coinbase@x", "coinbase-copy", "market-7@2026", "btc_session@2026", "f"]
    kinds = ["live", "live", "replay", "generated", "replay", "replay"]
    assert [feed_kind(feed) for feed in feeds] == kinds


def test_what_was_said_stands_beside_what_came() -> None:
    """By product and variant, for both events."""
    sums = Sums()
    sums.add(0.2, True)
    sums.add(0.1, False)
    days = last_days([Said("BTC-USD", "ml", "score", 24, sums.figures())])
    chance = days["BTC-USD", "ml"]["score"]
    assert (round(chance.said or 0, 9), chance.came, chance.rows) == (0.15, 0.5, 2)
    assert chance.pr_auc == 1.0
    assert chance.brier == pytest.approx((0.8**2 + 0.1**2) / 2)
    assert glance_of(said(0), None, START, 1, days["BTC-USD", "ml"]).last_day["score"] == chance

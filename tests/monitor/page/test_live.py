"""What the page lives on, from predictions as they come."""

from itertools import islice

from tests.featurizer.market import START
from tests.monitor.page.world import Lived, course, said
from tests.monitor.world import SECOND

NOW = START + 100 * SECOND


def test_a_frame_has_the_newest_of_each_product() -> None:
    """However many came since the last one; all are counted."""
    lived = Lived()
    lived.take(said(97), said(98, product_id="ETH-USD"), said(99))
    found = {g.product_id: (g.time_us, g.taken) for g in lived.live.frame(NOW).products}
    assert found == {"BTC-USD": (START + 99 * SECOND, 2), "ETH-USD": (START + 98 * SECOND, 1)}
    assert lived.live.products == ["BTC-USD", "ETH-USD"]


def test_a_repeat_changes_nothing() -> None:
    """Nor does a row from before the newest; one of another feed does."""
    lived = Lived()
    live = lived.take(said(99), said(99), said(98))
    assert live.frame(NOW).products[0].taken == 1
    lived.take(said(5, feed="other"))
    assert live.frame(NOW).products[0].feed == "other"
    assert live.history("BTC-USD", None, None, 1).time == [START // SECOND + 5]


def test_a_product_that_is_gone_is_not_shown() -> None:
    """Its last row was received more than an hour before the newest of all."""
    lived = Lived()
    lived.take(said(0, product_id="OLD-USD"), said(3_601))
    assert [g.product_id for g in lived.live.frame(NOW).products] == ["BTC-USD"]


def test_a_beat_tells_both_clocks() -> None:
    """The server's, and that of the newest event; without any, none."""
    lived = Lived()
    assert lived.live.beat(NOW).event_us is None
    lived.take(said(7), said(3, product_id="ETH-USD"))
    beat = lived.live.beat(NOW)
    assert (beat.server_us, beat.event_us) == (NOW, START + 7 * SECOND)


def test_the_course_has_the_states_after_each_row() -> None:
    """Modes of the history are those that the machine was in."""
    lived = Lived()
    lived.take(*course(range(30), "calm"), *course(range(30, 60), "spike"))
    history = lived.live.history("BTC-USD", None, None, 1)
    assert history.mode[:30] == ["blind", *["calm"] * 29]
    assert history.mode[32:] == ["spike"] * 28
    assert history.spike[-1] == 0.3


def test_before_the_machines_are_there_modes_are_unknown() -> None:
    """Predictions without states are points that are blind, and glances too."""
    live = Lived().live
    live.take(list(islice(course(range(9), "calm"), 3)), [])
    assert set(live.history("BTC-USD", None, None, 1).mode) == {"blind"}
    assert live.frame(START).products[0].detail == "unknown"

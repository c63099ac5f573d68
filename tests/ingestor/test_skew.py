"""A wrong time of one, or a wrong clock of ours."""

from ingestor.advanced import Unknown, parse
from ingestor.skew import MOST_HELD, FeedClock, Timed
from tests.ingestor.wire import BTC, ETH, Wire, us


def timed(frame: bytes, at: float) -> Timed:
    """A frame that came at this second of our clock."""
    return Timed(parse(frame, us(at)), frame, us(at))


def drawn(judged: list[Timed]) -> list[str]:
    """What became of frames: ``ok`` or ``wrong``."""
    return ["wrong" if each.message.problems else "ok" for each in judged]


def test_a_usual_frame_goes_straight_on() -> None:
    """Up to 60 s ahead of our clock nothing is asked."""
    clock, wire = FeedClock(), Wire()
    assert drawn(clock.take(timed(wire.heartbeat(60), 0))) == ["ok"]


def test_one_time_far_ahead_is_wrong() -> None:
    """All else of the feed says another time: its number counts, its quote is not known."""
    clock, wire = FeedClock(), Wire()
    clock.take(timed(wire.heartbeat(1), 1))
    assert clock.take(timed(wire.ticker(3_600), 1.1)) == []
    first, second = clock.take(timed(wire.heartbeat(2), 2))
    assert drawn([first, second]) == ["wrong", "ok"]
    assert first.message.content == Unknown("ticker") and first.message.sequence == 1
    assert "ticker: a time 3598.9 s ahead" in first.message.problems[0].reason


def test_all_times_ahead_mean_our_clock() -> None:
    """From the first frame on nothing is lost, and the order is kept."""
    clock, wire = FeedClock(), Wire()
    assert clock.take(timed(wire.ticker(90), 0)) == []
    judged = clock.take(timed(wire.heartbeat(91), 1))
    assert drawn(judged) == ["ok", "ok"] and judged[0].message.sequence == 0
    assert drawn(clock.take(timed(wire.ticker(92), 2))) == ["ok"]


def test_a_clock_set_back_harms_nothing() -> None:
    """The feed's own time goes on as before."""
    clock, wire = FeedClock(), Wire()
    clock.take(timed(wire.ticker(100), 100))
    assert drawn(clock.take(timed(wire.ticker(100.5), 10))) == ["ok"]


def test_a_feed_that_was_silent_goes_on_later() -> None:
    """With our clock 90 s behind, an hour of silence is an hour of both."""
    clock, wire = FeedClock(), Wire()
    clock.take(timed(wire.ticker(90), 0))
    clock.take(timed(wire.heartbeat(91), 1))
    assert drawn(clock.take(timed(wire.ticker(3_690), 3_600))) == ["ok"]


def test_the_same_place_is_not_believed_twice() -> None:
    """A product with a wrong time has it again; another one's word is needed."""
    clock, wire = FeedClock(), Wire()
    clock.take(timed(wire.ticker(1, ETH), 1))
    assert clock.take(timed(wire.ticker(999, BTC), 1)) == []
    assert clock.take(timed(wire.ticker(999.5, BTC), 1.5)) == []
    assert drawn(clock.take(timed(wire.ticker(2, ETH), 2))) == ["wrong", "wrong", "ok"]


def test_one_product_alone_is_believed_in_the_end() -> None:
    """Nobody else is there to ask."""
    clock, wire = FeedClock(), Wire()
    frames = [timed(wire.ticker(90 + n), n) for n in range(MOST_HELD + 1)]
    found = [drawn(clock.take(frame)) for frame in frames]
    assert found == [[]] * MOST_HELD + [["ok"] * (MOST_HELD + 1)]


def test_what_is_held_at_the_end_is_a_letter() -> None:
    """The connection ended before anybody said that it was right."""
    clock, wire = FeedClock(), Wire()
    clock.take(timed(wire.heartbeat(3_600), 1))
    assert drawn(clock.close()) == ["wrong"] and clock.close() == []


def test_a_frame_without_a_time_keeps_its_turn() -> None:
    """An error between two frames that are held comes between them."""
    clock, wire = FeedClock(), Wire()
    clock.take(timed(wire.ticker(90), 0))
    assert clock.take(timed(b'{"type":"error","message":"no"}', 0)) == []
    judged = clock.take(timed(wire.heartbeat(91), 1))
    assert [each.message.time_us is None for each in judged] == [False, True, False]

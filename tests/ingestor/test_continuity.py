"""Alive, Beat or Break.

Pictures: ``!reason@0.2`` is a Break at second 0.2, ``T0.2`` a Tick, ``b1`` the Beat of second 1.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.slots import Taken, Timeline
from ingestor.advanced import parse
from ingestor.continuity import Connection, events
from ingestor.recordings.recording import Frame
from ingestor.tick import Beat, Break, Event, Tick
from tests.ingestor.wire import BTC, ETH, Wire, picture, take, ticker, us


def heartbeats(wire: Wire, first: int, last: int) -> list[bytes]:
    """Return a heartbeat at the beginning of each of these seconds."""
    return [wire.heartbeat(second) for second in range(first, last + 1)]


class TestStart:
    def test_every_product_begins_with_a_break(self) -> None:
        """The Break stands at the first frame, whatever it is, also for a silent product."""
        wire = Wire()
        made = take([wire.heartbeat(0.1), wire.ticker(0.2)], BTC, ETH)
        assert picture(made) == "!start@0.1 T0.2"
        assert picture(made, ETH) == "!start@0.1"

    def test_an_unexpected_product_begins_with_a_break(self) -> None:
        """A product that only shows up later is broken since the first frame."""
        wire = Wire()
        made = take([wire.ticker(0.2), wire.ticker(3.5, ETH)], BTC)
        assert picture(made, ETH) == "!start@0.2 T3.5"

    def test_no_beat_before_the_first_tick(self) -> None:
        """While no quote is known, silent seconds stay empty."""
        wire = Wire()
        made = take([*heartbeats(wire, 0, 5), wire.ticker(5.5)])
        assert picture(made) == "!start@0 T5.5"

    def test_a_first_quote_older_than_the_connection_does_not_stand(self) -> None:
        """Nobody was there between the old quote and the first frame."""
        wire = Wire()
        made = take([wire.heartbeat(60), wire.ticker(10), *heartbeats(wire, 61, 66)])
        assert picture(made) == "!start@60 T10"


class TestSilence:
    def test_seven_seconds_between_ticks(self) -> None:
        """Without heartbeats, ticks at most 10 s apart are life: silent seconds are Beats."""
        # 0.2 ─ 1 2 3 4 5 6 ─ 7.5
        wire = Wire()
        made = take([wire.ticker(0.2), wire.ticker(7.5)])
        assert picture(made) == "!start@0.2 T0.2 b1 b2 b3 b4 b5 b6 T7.5"

    @pytest.mark.parametrize(
        ("apart", "end"), [(10.0, "b1 b2 b3 b4 b5 b6 b7 b8 b9 T10.2"), (10.1, "!silent@10.3 T10.3")]
    )
    def test_the_limit_is_ten_seconds(self, apart: float, end: str) -> None:
        """Ten seconds are alive, more are not."""
        wire = Wire()
        made = take([wire.ticker(0.2), wire.ticker(0.2 + apart)])
        assert picture(made) == f"!start@0.2 T0.2 {end}"

    def test_twenty_five_seconds(self) -> None:
        """A long silence is one Break for each product, and no Beat reaches into it."""
        # 0.2 ═════ 25 s ═════ 25.2
        wire = Wire()
        frames = [wire.ticker(0.2, BTC, ETH), wire.ticker(25.2), wire.ticker(25.9)]
        made = take([*frames, wire.ticker(26.1, ETH)], BTC, ETH)
        assert picture(made) == "!start@0.2 T0.2 !silent@25.2 T25.2 T25.9"
        assert picture(made, ETH) == "!start@0.2 T0.2 !silent@25.2 T26.1"

    def test_twenty_five_seconds_between_heartbeats(self) -> None:
        """With heartbeats it is the same, and the first one afterwards is life again."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.heartbeat(1), wire.ticker(25.2), wire.heartbeat(26)]
        made = take([*frames, *heartbeats(wire, 27, 29)])
        assert picture(made) == "!start@0.2 T0.2 !silent@25.2 T25.2 b26 b27"

    def test_heartbeats_keep_a_long_silence_alive(self) -> None:
        """As long as heartbeats come, the quote stands, however long no tick does."""
        wire = Wire()
        made = take([wire.ticker(0.2), *heartbeats(wire, 1, 30), wire.ticker(30.5)])
        beats = " ".join(f"b{second}" for second in range(1, 30))
        assert picture(made) == f"!start@0.2 T0.2 {beats} T30.5"

    def test_a_beat_waits_for_a_second_past_its_end(self) -> None:
        """While silence lasts, the Beat of second 1 (which ends at 2) is written at 3."""
        wire = Wire()
        connection = Connection("feed", (BTC,))
        take([wire.ticker(0.2), wire.heartbeat(1), wire.heartbeat(2.999)], connection=connection)
        assert picture(take([wire.heartbeat(3)], connection=connection)) == "b1"

    def test_a_beat_is_the_last_microsecond_with_the_standing_quote(self) -> None:
        """A Beat carries quote and sizes of the last Tick, at the very end of its second."""
        wire = Wire()
        made = take([wire.ticker(0.2, bid=5, ask=6), wire.ticker(2.2, bid=7, ask=8)])
        beat = made[2]
        assert isinstance(beat, Beat)
        assert beat.time_us == us(2) - 1
        assert (beat.bid, beat.ask, beat.bid_size, beat.ask_size) == (5, 6, 2, 1)

    def test_missing_heartbeats_are_a_break_though_ticks_come(self) -> None:
        """Heartbeats older than 10 s are an outage; silent seconds of it get no Beat."""
        # heartbeats 0, 1 … none …               13 14 15
        # ticks      0.5 1.5 … 11.5 | ─ ─ | 14.5
        wire = Wire()
        frames = [*heartbeats(wire, 0, 1), *[wire.ticker(s + 0.5) for s in range(12)]]
        frames += [*heartbeats(wire, 14, 14), wire.ticker(14.5), *heartbeats(wire, 15, 17)]
        assert picture(take(frames)).endswith("T9.5 T10.5 !silent@11.5 T11.5 T14.5 b15")

    def test_one_silent_product_beside_a_busy_one(self) -> None:
        """The other product's ticks are life, and move event time on."""
        wire = Wire()
        frames = [wire.ticker(0.2, BTC, ETH), *[wire.ticker(s + 0.5) for s in range(1, 16)]]
        made = take([*frames, wire.ticker(15.7, ETH)], BTC, ETH)
        beats = " ".join(f"b{second}" for second in range(1, 15))
        assert picture(made, ETH) == f"!start@0.2 T0.2 {beats} T15.7"


class TestLoss:
    def test_a_lost_number_breaks_every_product(self) -> None:
        """Nobody knows whose frame it was; what was silent before it is kept."""
        # 0.2 ─ 1 2 ─ 3.1 ✗ 3.4
        wire = Wire()
        frames = [wire.ticker(0.2, BTC, ETH), wire.ticker(3.1)]
        wire.lose()
        made = take([*frames, wire.ticker(3.4), wire.ticker(5.5, ETH)], BTC, ETH)
        assert picture(made) == "!start@0.2 T0.2 b1 b2 T3.1 !sequence@3.4 T3.4"
        assert picture(made, ETH) == "!start@0.2 T0.2 b1 b2 !sequence@3.4 T5.5"

    def test_no_beat_between_a_break_and_the_next_tick(self) -> None:
        """After a Break the standing quote is unknown."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.heartbeat(1)]
        wire.lose()
        made = take([*frames, *heartbeats(wire, 2, 6), wire.ticker(6.5), *heartbeats(wire, 7, 9)])
        assert picture(made) == "!start@0.2 T0.2 !sequence@2 T6.5 b7"

    def test_every_channel_is_counted(self) -> None:
        """Acks, heartbeats and channels that nobody asked for leave no hole."""
        wire = Wire()
        ack = wire.frame("subscriptions", 0.3, {"subscriptions": {"ticker": [BTC]}})
        frames = [wire.ticker(0.2), ack, wire.heartbeat(0.4), wire.frame("status", 0.5)]
        assert picture(take([*frames, wire.ticker(0.6)])) == "!start@0.2 T0.2 T0.6"

    def test_a_repeated_number_is_no_loss(self) -> None:
        """A frame that comes twice gives its Tick twice; the engine drops it."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.ticker(0.4)]
        assert picture(take([*frames, *frames])) == "!start@0.2 T0.2 T0.4 T0.2 T0.4"

    def test_an_unreadable_frame_is_a_lost_one(self) -> None:
        """Its number is unknown, so the next one shows the hole."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.heartbeat(0.3)[:-1], wire.ticker(0.4)]
        assert picture(take(frames)) == "!start@0.2 T0.2 !sequence@0.4 T0.4"

    def test_a_refused_ticker_leaves_no_quote_standing(self) -> None:
        """A crossed quote is no loss of continuity, but the quote before stands no longer."""
        wire = Wire()
        frames = [wire.ticker(0.2, BTC, ETH), wire.ticker(1.2, bid=102)]
        made = take([*frames, wire.ticker(4.2, BTC, ETH)], BTC, ETH)
        assert picture(made) == "!start@0.2 T0.2 T4.2"
        assert picture(made, ETH) == "!start@0.2 T0.2 b1 b2 b3 T4.2"

    def test_lost_trades_break_their_product(self) -> None:
        """A hole in the trade numbers says how many are missing; other products are whole."""
        wire = Wire()
        frames = [wire.ticker(0.2, BTC, ETH), wire.trades(0.3, 50), wire.trades(0.6, 54, 52)]
        made = take([*frames, wire.ticker(0.7)], BTC, ETH)
        assert picture(made) == "!start@0.2 T0.2 !trade_id(2)@0.6 T0.7"
        assert picture(made, ETH) == "!start@0.2 T0.2"

    def test_trades_in_any_order_of_a_batch(self) -> None:
        """Numbers need not be sorted inside a batch, and the first one is where it begins."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.trades(0.3, 51, 50), wire.trades(0.6, 54, 52, 53)]
        assert picture(take(frames)) == "!start@0.2 T0.2"

    def test_a_snapshot_sends_old_trades_again(self) -> None:
        """Numbers already known are no loss, nor is a snapshot that reaches further."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.trades(0.3, 50, 51, kind="snapshot")]
        frames += [wire.trades(0.4, 52), wire.trades(0.5, *range(40, 55), kind="snapshot")]
        assert picture(take([*frames, wire.trades(0.6, 55)])) == "!start@0.2 T0.2"


class TestLate:
    def test_a_late_tick_changes_no_quote(self) -> None:
        """A Tick behind the last one is passed on, and Beats keep the later quote."""
        wire = Wire()
        frames = [wire.ticker(5.5, bid=5, ask=6), wire.ticker(4.5, bid=1, ask=2)]
        made = take([*frames, wire.ticker(7.5)])
        assert picture(made) == "!start@5.5 T5.5 T4.5 b6 T7.5"
        assert [event.bid for event in made if isinstance(event, Beat)] == [5]

    def test_a_tick_after_the_beat_of_its_second(self) -> None:
        """The second was given away: no second Beat for it, and none backwards."""
        wire = Wire()
        made = take([wire.ticker(0.2), *heartbeats(wire, 1, 3), wire.ticker(1.5), wire.ticker(4.5)])
        assert picture(made) == "!start@0.2 T0.2 b1 T1.5 b2 b3 T4.5"

    def test_a_late_heartbeat_is_no_new_life(self) -> None:
        """Event time does not go back for a heartbeat that was on its way too long."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.heartbeat(1), wire.ticker(20.5), wire.heartbeat(2)]
        made = take([*frames, wire.ticker(23.5)])
        assert picture(made) == "!start@0.2 T0.2 !silent@20.5 T20.5 T23.5"


class TestReconnect:
    def test_products_with_data_break_as_reconnected(self) -> None:
        """A new connection starts its numbers afresh; a product without data only starts."""
        wire = Wire()
        first = Connection("feed", (BTC, ETH))
        take([wire.ticker(0.2), wire.ticker(0.9)], connection=first)
        again = Connection("feed", (BTC, ETH), first.frontiers)
        made = take([Wire().ticker(1.4)], connection=again)
        assert picture(made) == "!reconnect@1.4 T1.4"
        assert picture(made, ETH) == "!start@1.4"

    def test_a_snapshot_older_than_what_was_written(self) -> None:
        """Its Tick is late, so nothing is built on it."""
        wire, after = Wire(), Wire()
        first = Connection("feed", (BTC,))
        take([wire.ticker(5.5)], connection=first)
        again = Connection("feed", (BTC,), first.frontiers)
        frames = [after.ticker(4.8), *heartbeats(after, 6, 9), after.ticker(9.5)]
        assert picture(take(frames, connection=again)) == "!reconnect@4.8 T4.8 T9.5"

    def test_a_connection_without_frames_keeps_what_was_known(self) -> None:
        """The products with data survive any number of connections that brought nothing."""
        first = Connection("feed", (BTC,))
        take([Wire().ticker(0.2)], connection=first)
        empty = Connection("feed", (BTC,), first.frontiers)
        again = Connection("feed", (BTC,), empty.frontiers)
        assert picture(take([Wire().ticker(1.4)], connection=again)) == "!reconnect@1.4 T1.4"


def test_recorded_frames_give_the_same_events() -> None:
    """Training reads a recording through the very same rules, for the products it wants."""
    wire = Wire()
    frames = [wire.ticker(0.2, BTC, ETH), wire.ticker(7.5, BTC, ETH)]
    made = events([Frame(us(0), frame) for frame in frames], "recording", [ETH])
    assert picture(made, ETH) == "!start@0.2 T0.2 b1 b2 b3 b4 b5 b6 T7.5"


# ------------------------------------------------------------------- laws
KINDS = st.sampled_from(["ticker", "ticker", "ticker", "heartbeat", "trades", "lost"])
STEPS = st.lists(
    st.tuples(KINDS, st.sampled_from([BTC, ETH]), st.floats(0, 14).map(lambda gap: gap**2 / 14)),
    min_size=1,
    max_size=60,
)


def stream(steps: list[tuple[str, str, float]], seed: int | None = None) -> list[bytes]:
    """Make frames with these gaps; ``seed`` shuffles those of one second among each other."""
    planned: list[tuple[float, str, str]] = []
    at = 0.5
    for kind, product, gap in steps:
        at = round(at + gap, 6)
        planned.append((at, kind, product))
    if seed is not None:
        shuffle = random.Random(seed)
        planned = sorted(planned, key=lambda step: (step[0] // 1, shuffle.random()))
    wire, trade_id, frames = Wire(), 0, []
    for at, kind, product in planned:
        if kind == "lost":
            wire.lose()
        elif kind == "heartbeat":
            frames.append(wire.heartbeat(at))
        elif kind == "trades":
            trade_id += 1
            frames.append(wire.trades(at, trade_id, product=product))
        else:
            frames.append(wire.ticker(at, product))
    return frames


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, seed=st.none() | st.integers(0, 9))
def test_beats_are_accepted_and_rise(steps: list[tuple[str, str, float]], seed: int | None) -> None:
    """The timeline takes every Beat, and nothing goes back but late Ticks."""
    made = take(stream(steps, seed), BTC, ETH)
    for product in (BTC, ETH):
        timeline = Timeline("feed")
        reached = -1
        for event in (event for event in made if event.product_id == product):
            taken = timeline.take(event)
            if isinstance(event, Tick):
                assert (taken is Taken.ACCEPTED) == (event.time_us > reached)
            else:
                assert event.time_us >= reached
                assert taken is (Taken.BEAT if isinstance(event, Beat) else Taken.BREAK)
            reached = max(reached, event.time_us) if not isinstance(event, Break) else reached


@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_no_beat_where_no_quote_is_known(steps: list[tuple[str, str, float]]) -> None:
    """Between a Break and the next Tick of its product there is no Beat."""
    known: dict[str, bool] = {}
    for event in take(stream(steps), BTC, ETH):
        if isinstance(event, Beat):
            assert known[event.product_id]
        known[event.product_id] = not isinstance(event, Break)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, cut=st.integers(0, 60))
def test_chunks_and_clocks_do_not_show(steps: list[tuple[str, str, float]], cut: int) -> None:
    """The same frames give the same events in any chunks and at any time of ours."""
    frames = stream(steps)
    connection = Connection("feed", (BTC, ETH))
    chunked = take(frames[:cut], connection=connection) + take(frames[cut:], connection=connection)
    assert chunked == take(frames, BTC, ETH)
    later: list[Event] = []
    connection = Connection("feed", (BTC, ETH))
    for number, frame in enumerate(frames):
        later += connection.take(parse(frame, us(5000)), us(5000 + number))
    strip = [(type(e), e.product_id, e.time_us) for e in later]
    assert strip == [(type(e), e.product_id, e.time_us) for e in chunked]


class TestStall:
    """Trades prove that a ticker is behind: heartbeats alone would let its quote stand."""

    def frames(self, wire: Wire, seconds: int, die: int) -> list[bytes]:
        """A heartbeat and a new trade each second; the ticker until the second ``die``."""
        made = []
        for second in range(seconds):
            made.append(wire.heartbeat(second))
            made += [wire.ticker(second + 0.2)] if second < die else []
            made.append(wire.trades(second + 0.3, 100 + second))
        return made

    def test_a_dead_ticker_is_a_break(self) -> None:
        """Ten seconds of new trades without it, then a Break, and no Beat after it."""
        wire = Wire()
        made = take(self.frames(wire, 60, 5))
        assert picture(made).endswith("T4.2 b5 b6 b7 b8 b9 b10 b11 b12 !stalled@14.3")

    def test_it_goes_on_with_the_next_ticker(self) -> None:
        """That one says what stands; the time between is a hole."""
        wire = Wire()
        frames = [*self.frames(wire, 30, 5), wire.ticker(30.5), wire.heartbeat(33)]
        connection = Connection("feed", (BTC,))
        made = take(frames[:-2], connection=connection)
        assert connection.stalled == {BTC}
        made += take(frames[-2:], connection=connection)
        assert picture(made).endswith("!stalled@14.3 T30.5 b31") and not connection.stalled

    def test_a_quiet_market_is_none(self) -> None:
        """Neither quotes nor trades: the quote stands."""
        wire = Wire()
        made = take([wire.ticker(0.2), wire.trades(0.3, 7), *heartbeats(wire, 1, 60)])
        assert "stalled" not in picture(made) and picture(made).endswith("b58")

    def test_old_trades_prove_nothing(self) -> None:
        """The first batch is of any age, and overlapping ones bring nothing new."""
        wire = Wire()
        frames = [wire.ticker(0.2), wire.trades(0.3, 7, 8)]
        for second in range(1, 40):
            frames += [wire.heartbeat(second), wire.trades(second + 0.1, 7, 8)]
        assert "stalled" not in picture(take(frames))

    def test_it_is_told_by_product(self) -> None:
        """Another product's ticker and Beats go on."""
        wire = Wire()
        frames = [wire.ticker(0.1, BTC, ETH)]
        for second in range(30):
            frames += [wire.ticker(second + 0.2, ETH), wire.trades(second + 0.3, 50 + second)]
        made = take(frames, BTC, ETH)
        assert "!stalled" in picture(made) and "!stalled" not in picture(made, ETH)


class TestSequence:
    def test_numbers_that_begin_anew_are_a_break(self) -> None:
        """The same connection, another count: nobody knows what lay between; then all is well."""
        wire = Wire()
        frames = [wire.ticker(n / 10) for n in range(20)]
        anew = Wire()
        made = take([*frames, anew.ticker(2.1), anew.ticker(2.2), anew.ticker(2.3)])
        assert picture(made).endswith("T1.9 !sequence@2.1 T2.1 T2.2 T2.3")

    def test_a_frame_of_long_ago_is_no_beginning(self) -> None:
        """It comes twice: its time is no later than what was seen."""
        wire = Wire()
        frames = [wire.ticker(n / 10) for n in range(20)]
        assert "sequence" not in picture(take([*frames, frames[0], wire.ticker(2.0)]))


def test_of_two_tickers_in_a_frame_the_newest_stands() -> None:
    """They are in the order in which they were made."""
    wire = Wire()
    both = wire.frame("ticker", 0.2, {"tickers": [ticker(BTC, 100, 101), ticker(BTC, 90, 91)]})
    made = take([both, wire.heartbeat(3)])
    assert [(type(e).__name__, e.bid) for e in made[1:] if not isinstance(e, Break)] == [
        ("Tick", 90.0),
        ("Beat", 90.0),
    ]


def test_a_product_asked_as_usdc_is_one_with_its_usd() -> None:
    """One Break at its start, not one for each name."""
    wire = Wire()
    made = take([wire.ticker(0.2)], "BTC-USDC")
    assert picture(made) == "!start@0.2 T0.2" and {e.product_id for e in made} == {BTC}

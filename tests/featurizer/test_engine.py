"""Null rules, Breaks, Beats, levels and the worked example: what the engine makes of events."""

import math

import pytest

from featurizer.engine import READ_BACK_US, FeatureEngine
from featurizer.features import (
    FEATURES,
    NAMES,
    REQUIRED,
    Feature,
)
from featurizer.level.levels import Levels
from featurizer.level.seeds import Seed, Seeds
from featurizer.row import encode
from featurizer.slots import SIZE, Taken, Timeline
from featurizer.statistic import REALIZED_VOLATILITY, Return
from featurizer.windows import LONGEST
from ingestor.tick import Event
from tests.featurizer.example import events_of, number, table
from tests.featurizer.market import SECOND, beat, break_at, last_row, market, seconds, tick
from tests.featurizer.slow import rows as slow_rows

EVERY = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
QUOTED = ("log_return", "spread_mean", "trade_intensity", "order_book_imbalance")
"""Made of quotes and counts, not of returns from second to second."""


def example() -> list[tuple[Event, str]]:
    """The events of the worked example, each with what becomes of it."""
    return [(event, line["is"]) for line in table("#, event") for event in events_of(line)]


def value_of(name: str, events: list[Event]) -> float | None:
    """One feature of the last event's row."""
    return last_row(events).features[name]


# ---------------------------------------------------------------- the worked example


def test_worked_example_events_become_what_the_text_says() -> None:
    """Accepted, late, repeated, beat and break are as in the documentation."""
    engine = FeatureEngine()
    assert [engine.take(event)[0].value for event, _ in example()] == [is_ for _, is_ in example()]


def test_worked_example_leaves_the_slots_of_the_text() -> None:
    """Every slot of the documentation exists with these values, and no other does."""
    timeline, known = Timeline("f"), set()
    for event, _ in example():
        timeline.take(event)
    for line in table("second, mid"):
        first, _, last = line["second"].partition("…")
        for second in range(int(first), int(last or first) + 1):
            slot = timeline.slots.at(second)
            assert slot is not None
            known.add(second)
            found = (slot.mid, slot.spread, slot.imbalance, slot.log_return)
            for value, name in zip(found, ("mid", "spread", "imbalance", "r_k"), strict=True):
                assert value == near(number(line[name])), (second, name)
            assert (slot.ticks, slot.joined) == (int(line["ticks"]), line["joined"] == "yes")
    assert {slot.second for slot in timeline.slots.between(0, 61)} == known


def test_worked_example_gives_the_row_of_the_text() -> None:
    """The last row has the documentation's values, in its order, for all of the first release."""
    row = last_row([event for event, _ in example()])
    found = {**row.features, "coverage": row.coverage}
    lines = table("feature, how")
    names = [line["feature"].strip("`") for line in lines]
    assert names == [*REQUIRED, "coverage"]
    for name, line in zip(names, lines, strict=True):
        assert found[name] == near(number(line["value"])), name


def test_worked_example_agrees_with_the_slow_recomputation() -> None:
    """The definitions, computed slowly, give the documentation's values, too."""
    _, slow = slow_rows(event for event, _ in example())[-1]
    for line in table("feature, how"):
        assert slow[line["feature"].strip("`")] == near(number(line["value"])), line["feature"]


def near(value: float | None) -> object:
    """What a printed number stands for."""
    return None if value is None else pytest.approx(value, rel=1e-11, abs=1e-15)


# ---------------------------------------------------------------- unknown is null


@EVERY
def test_first_tick_knows_nothing(feature: Feature) -> None:
    """With one second known every feature is null."""
    assert value_of(feature.name, seconds(0)) is None


@EVERY
def test_null_until_enough_of_the_window_is_known(feature: Feature) -> None:
    """A feature appears with the n-th value that makes n = W/2, and not one earlier.

    A volatility appears once a third of its window has passed since the feed began.

    seconds   0 ── n values ── s
    """
    engine, timeline = FeatureEngine(), Timeline("f")
    counts = []
    for event in seconds(*range(feature.window + 1), bid_size=1.0, ask_size=2.0):
        row = engine.update(event)
        timeline.take(event)
        assert row is not None
        counts.append(values_in(feature, timeline, row.second))
        if row.features[feature.name] is not None:
            break
    assert row.features[feature.name] is not None
    if feature.statistic is REALIZED_VOLATILITY:
        assert 3 * row.second == feature.window
    else:
        assert 2 * counts[-1] >= feature.window > 2 * counts[-2]


@pytest.mark.parametrize("known", [19, 20])
def test_a_volatility_is_known_from_20_returns_on(known: int) -> None:
    """After a hole all windows are known again, partial ones too, with the 20th return."""
    before = seconds(*range(1_300))
    events = [*before, break_at(1_400 * SECOND), *seconds(*range(2_000, 2_001 + known))]
    row = last_row(events)
    assert row.returns == known
    windows = (60, 300) if known == 20 else ()
    found = [w for w in (60, 300) if row.features[f"realized_volatility_{w}s"] is not None]
    assert found == list(windows)
    assert row.features["realized_volatility_3600s"] == 0.0


def test_long_windows_are_of_whole_minutes() -> None:
    """That of 900 s begins with the 14th epoch minute before its own, whatever the second."""
    jump = [*seconds(*range(60, 100)), *seconds(*range(100, 962), bid=109, ask=111)]
    square = math.log(1.1) ** 2
    for last in range(950, 962):
        known = last - (60 if last < 960 else 119)
        expected = math.sqrt(900 / known * square) if last < 960 else 0.0
        found = value_of("realized_volatility_900s", jump[: last - 59])
        assert found == pytest.approx(expected, rel=1e-12), last


def test_a_beat_of_each_tenth_second_has_a_row() -> None:
    """A living product without trades has a row every ten seconds, with its standing quote."""
    engine = FeatureEngine()
    rows = [row for second in range(100, 131) if (row := engine.update(beat(second))) is not None]
    assert [row.second for row in rows] == [100, 110, 120, 130]
    assert all(row.beat and row.trade_id == 0 for row in rows)
    assert rows[0].row_id == "f:BTC-USD:100999999:0"


def test_a_repeated_beat_has_no_row() -> None:
    """Where the second had a Tick, or its Beat, there is none."""
    engine = FeatureEngine()
    assert engine.update(beat(100)) is not None
    assert engine.update(beat(100)) is None
    engine.update(tick(110 * SECOND))
    assert engine.update(beat(110)) is None


def test_a_row_says_that_a_break_came_since_the_row_before() -> None:
    """The first row after a Break says so, and the one after it does not."""
    engine = FeatureEngine()
    events = [
        break_at(0),
        tick(1),
        tick(2),
        break_at(3),
        beat(1),
        tick(2 * SECOND),
        tick(2_500_000),
    ]
    rows = [row for event in events if (row := engine.update(event)) is not None]
    assert [row.after_break for row in rows] == [True, False, True, False]


@pytest.mark.exhaustive
def test_a_snapshot_goes_on_to_the_bit() -> None:
    """An engine that takes over a product's state gives the rows that the first one gives."""
    events = market(seed=3, steps=900, products=("BTC-USD",))
    for cut in range(0, len(events), 97):
        first, second = FeatureEngine(), FeatureEngine()
        for event in events[: cut + 1]:
            first.update(event)
        second.resume(first.snapshot("BTC-USD"))
        for event in events[cut + 1 :]:
            row, resumed = first.update(event), second.update(event)
            assert (row and encode(row)) == (resumed and encode(resumed))


def test_a_row_has_the_level_in_force() -> None:
    """A seed's level and its status stand in each row; without one both say so."""
    seeds = Seeds([Seed(product="BTC-USD", tau=6e-4, source="made up", days=1)])
    row = FeatureEngine(Levels(seeds)).update(tick(0))
    assert row is not None and (row.tau, row.tau_status) == (6e-4, "seeded")
    assert (last_row(seconds(0)).tau, last_row(seconds(0)).tau_status) == (None, "blind")


def values_in(feature: Feature, timeline: Timeline, second: int) -> float:
    """How many values the window has by the feature's own rule; a return has all or none."""
    statistic, window = feature.statistic, feature.window
    if isinstance(statistic, Return):
        return window if timeline.slots.at(second - window) else 0
    last = second if statistic.with_now else second - 1
    known = timeline.slots.between(last - window + 1, last)
    return sum(statistic.term(slot) is not None for slot in known)


def test_missing_end_makes_log_return_null() -> None:
    """Without a slot exactly W seconds before there is no return, however many lie between."""
    known = [second for second in range(100) if second != 39]
    assert value_of("log_return_60s", seconds(*known)) is None
    assert value_of("log_return_60s", seconds(*range(100))) == 0.0


def test_log_return_is_that_of_both_ends() -> None:
    """Only the mids of the two ends count."""
    events = [*seconds(*range(60), bid=99, ask=101), *seconds(60, bid=109, ask=111)]
    assert value_of("log_return_60s", events) == math.log(1.1)


@pytest.mark.parametrize("sizes", [(None, None), (1.0, None), (None, 1.0), (0.0, 0.0)])
def test_no_sizes_and_zero_sizes_have_no_imbalance(sizes: tuple[float | None, ...]) -> None:
    """Where sizes are unknown or both 0, imbalance is null, not 0."""
    events = seconds(*range(400), bid_size=sizes[0], ask_size=sizes[1])
    names = [name for name in NAMES if name.startswith("order_book_imbalance")]
    assert [value_of(name, events) for name in names] == [None] * 3


def test_seconds_without_sizes_do_not_count() -> None:
    """Imbalance is the mean over the seconds that have one."""
    events = seconds(*range(20), bid_size=3.0, ask_size=1.0) + seconds(*range(20, 30))
    assert value_of("order_book_imbalance_30s", events) == 0.5


def test_seconds_of_beats_alone_have_intensity_zero() -> None:
    """A living market without ticks has an intensity of 0.0, an unknown one null."""
    beats: list[Event] = [beat(second) for second in range(60)]
    assert value_of("trade_intensity_60s", [*beats, tick(60 * SECOND)]) == 0.0
    assert value_of("trade_intensity_60s", [*beats[:29], tick(60 * SECOND)]) is None


def test_current_second_does_not_count_as_intensity() -> None:
    """Ticks of the second that is not over change no intensity."""
    before = seconds(*range(60))
    burst: list[Event] = [tick(60 * SECOND + k) for k in range(200)]
    assert value_of("trade_intensity_60s", [*before, *burst]) == 1.0


def test_coverage_counts_existing_seconds() -> None:
    """Coverage is the share of the last 300 seconds with a slot, the current one included."""
    assert last_row(seconds(*range(0, 600, 2))).coverage == 0.5
    assert last_row(seconds(*range(600))).coverage == 1.0


# ---------------------------------------------------------------- Breaks


def joined_after(events: list[Event]) -> dict[int, bool]:
    """Which seconds are joined once these events are taken."""
    timeline = Timeline("f")
    for event in events:
        timeline.take(event)
    return {slot.second: slot.joined for slot in timeline.slots.between(0, 20)}


def test_break_before_a_seconds_ticks_unjoins_that_second() -> None:
    """A Break, then a Tick of the same second: this second's return does not exist.

    10        11        12
    │  T      │ ✕  T    │  T
    """
    events = [*seconds(10), break_at(11_200_000), tick(11_500_000), *seconds(12)]
    assert joined_after(events) == {10: True, 11: False, 12: True}


def test_break_after_a_seconds_ticks_unjoins_it_and_the_next() -> None:
    """No tick follows the Break in its second, so the next second is not joined either.

    10        11        12        13
    │  T      │ T   ✕   │  T      │  T
    """
    events = [*seconds(10, 11), break_at(11_500_000), *seconds(12, 13)]
    assert joined_after(events) == {10: True, 11: False, 12: False, 13: True}


def test_break_between_two_ticks_of_a_second_unjoins_that_second_alone() -> None:
    """The tick after the Break is the one that the next second's return begins from.

    10        11        12
    │  T      │ T ✕ T   │  T
    """
    events = [*seconds(10, 11), break_at(11_500_000), tick(11_600_000), *seconds(12)]
    assert joined_after(events) == {10: True, 11: False, 12: True}


def test_break_in_a_missing_second_unjoins_the_next_slot() -> None:
    """A Break where no slot is takes away only what would cross it."""
    events = [*seconds(10), break_at(11_500_000), *seconds(12, 13)]
    assert joined_after(events) == {10: True, 12: False, 13: True}


@pytest.mark.parametrize("straggler", [tick(10_000_000), tick(9_000_000), beat(9)])
def test_late_events_do_not_heal_a_break(straggler: Event) -> None:
    """What is late or repeated changes nothing, a pending Break least of all."""
    events = [*seconds(10), break_at(10_900_000), straggler, *seconds(11)]
    assert joined_after(events) == {10: False, 11: False}


def test_break_takes_returns_away_and_nothing_else() -> None:
    """Spread, imbalance, intensity and coverage do not mind a Break; returns do."""
    before = seconds(*range(40), bid_size=3.0, ask_size=1.0)
    after = seconds(40, bid=100, ask=102, bid_size=3.0, ask_size=1.0)
    calm = last_row([*before, *after])
    broken = last_row([*before, break_at(39_500_000), *after])
    assert calm.features["realized_volatility_60s"] != 0.0
    assert broken.features["realized_volatility_60s"] == 0.0
    kept = [name for name in NAMES if name.startswith(QUOTED)]
    assert [broken.features[name] for name in kept] == [calm.features[name] for name in kept]
    assert broken.coverage == calm.coverage


def test_break_gives_no_row() -> None:
    """Breaks and most Beats change state and give no row."""
    engine = FeatureEngine()
    assert engine.take(break_at(0)) == (Taken.BREAK, None)
    assert engine.take(beat(1)) == (Taken.BEAT, None)


# ---------------------------------------------------------------- acceptance, feeds, bytes


def test_tick_of_a_second_that_had_its_beat_is_late() -> None:
    """A Beat stands at its second's last microsecond: no Tick of that second comes after it."""
    engine = FeatureEngine()
    engine.update(beat(10))
    assert engine.take(tick(10_999_999, trade_id=5)) == (Taken.LATE, None)


def test_ticks_of_one_microsecond_are_told_apart_by_trade_id() -> None:
    """The same time with a greater trade id is another Tick; without one it is a repeat."""
    engine = FeatureEngine()
    taken = [engine.take(tick(10, trade_id=number))[0] for number in (1, 2, 2, 1, None)]
    wanted = [Taken.ACCEPTED, Taken.ACCEPTED, Taken.REPEATED, Taken.LATE, Taken.LATE]
    assert taken == wanted


def test_another_feed_clears_the_state() -> None:
    """Rows after a change of feed know nothing of the feed before, even back in time."""
    engine = FeatureEngine()
    for event in seconds(*range(1_000, 1_400)):
        engine.update(event)
    row = engine.update(tick(5 * SECOND, feed="g"))
    assert row is not None
    assert (row.coverage, row.returns, set(row.features.values())) == (1 / 300, 0, {None})
    assert engine.feed_of("BTC-USD") == "g"


def test_forgotten_product_has_no_state() -> None:
    """A product whose partition has moved begins anew, the others do not."""
    engine = FeatureEngine()
    for product in ("BTC-USD", "ETH-USD"):
        engine.update(tick(SECOND, product_id=product))
    engine.forget("BTC-USD")
    assert (engine.feed_of("BTC-USD"), engine.feed_of("ETH-USD")) == (None, "f")


def test_every_window_is_read_back() -> None:
    """After a restart a product has as many seconds as the longest window needs."""
    assert LONGEST < SIZE <= READ_BACK_US // SECOND - 1

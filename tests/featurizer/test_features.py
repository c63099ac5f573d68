"""Null rules, Breaks, names and bytes of feature rows, and the worked example."""

import math
from dataclasses import replace

import msgspec
import pytest

from featurizer.features import (
    FEATURES,
    FEATURES_DIGEST,
    LONGEST,
    NAMES,
    READ_BACK_US,
    REQUIRED,
    Feature,
    FeatureEngine,
    FeatureRow,
    decode,
    digest_of,
    encode,
    names_of,
)
from featurizer.slots import SIZE, Taken, Timeline
from featurizer.statistic import Return
from ingestor.tick import Event
from tests.featurizer.example import events_of, number, table
from tests.featurizer.market import SECOND, beat, break_at, tick
from tests.featurizer.slow import rows as slow_rows

FIRST_RELEASE = (
    "realized_volatility_60s",
    "log_return_60s",
    "spread_mean_60s",
    "trade_intensity_60s",
    "realized_volatility_300s",
    "log_return_300s",
    "spread_mean_300s",
    "trade_intensity_300s",
    "order_book_imbalance_30s",
    "order_book_imbalance_60s",
    "order_book_imbalance_300s",
    "price_velocity_300s",
)
"""What clients, models and rows of before are made of: names and order never change."""
EVERY = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
QUOTED = ("log_return", "spread_mean", "trade_intensity", "order_book_imbalance")
"""Made of quotes and counts, not of returns from second to second."""


def example() -> list[tuple[Event, str]]:
    """The events of the worked example, each with what becomes of it."""
    return [(event, line["is"]) for line in table("#, event") for event in events_of(line)]


def last_row(events: list[Event]) -> FeatureRow:
    """The row of the last event, which is an accepted Tick."""
    engine, row = FeatureEngine(), None
    for event in events:
        row = engine.update(event)
    assert row is not None
    return row


def seconds(*numbers: int, **quote: float | None) -> list[Event]:
    """A Tick at the start of each of these seconds."""
    return [tick(second * SECOND, **quote) for second in numbers]


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
def test_null_until_half_of_the_window_is_known(feature: Feature) -> None:
    """A feature appears with the n-th value that makes n = W/2, and not one earlier.

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
    assert 2 * counts[-1] >= feature.window > 2 * counts[-2]


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
    """Beats and Breaks change state and give no row."""
    engine = FeatureEngine()
    assert engine.take(break_at(0)) == (Taken.BREAK, None)
    assert engine.take(beat(0)) == (Taken.BEAT, None)


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
    assert (row.coverage, set(row.features.values())) == (1 / 300, {None})
    assert engine.feed_of("BTC-USD") == "g"


def test_forgotten_product_has_no_state() -> None:
    """A product whose partition has moved begins anew, the others do not."""
    engine = FeatureEngine()
    for product in ("BTC-USD", "ETH-USD"):
        engine.update(tick(SECOND, product_id=product))
    engine.forget("BTC-USD")
    assert (engine.feed_of("BTC-USD"), engine.feed_of("ETH-USD")) == (None, "f")


def test_row_survives_its_bytes() -> None:
    """Bytes and back give an equal row; its id is made of feed, product, time and trade id."""
    row = last_row([*seconds(*range(70)), tick(70_000_001, trade_id=9)])
    assert decode(encode(row)) == row
    assert row.row_id == "f:BTC-USD:70000001:9"
    assert row.second == 70


def test_row_has_the_features_in_order() -> None:
    """The features of a row stand in the order of the tensors, those of the first release first."""
    assert tuple(last_row(seconds(0)).features) == NAMES
    assert len(set(NAMES)) == len(NAMES)
    assert REQUIRED == FIRST_RELEASE == NAMES[: len(FIRST_RELEASE)]


def test_a_row_of_an_older_writer_has_what_came_later_unknown() -> None:
    """A row with the names of the first release decodes to one of all names."""
    row = last_row(seconds(*range(70)))
    written = msgspec.structs.replace(row, features={n: row.features[n] for n in REQUIRED})
    found = decode(encode(written))
    assert tuple(found.features) == NAMES
    assert found.features == dict.fromkeys(NAMES) | written.features


def test_a_row_of_a_newer_writer_loses_what_is_not_known_here() -> None:
    """A name of a later release is left out, wherever it stands."""
    row = last_row(seconds(*range(70)))
    newer = msgspec.structs.replace(row, features={"moon_phase_60s": 0.5, **row.features})
    assert encode(decode(encode(newer))) == encode(row)


def test_a_row_of_other_features_stays_as_it_came() -> None:
    """Without one of the first release nothing is filled in, so that its reader can refuse it."""
    row = last_row(seconds(0))
    for strange in ({"price": 1.0}, dict.fromkeys(NAMES[1:])):
        other = msgspec.structs.replace(row, features=strange)
        assert decode(encode(other)) == other


def test_every_window_is_read_back() -> None:
    """After a restart a product has as many seconds as the longest window needs."""
    assert LONGEST < SIZE <= READ_BACK_US // SECOND - 1


def test_the_digest_of_so_many_features_names_them() -> None:
    """Every width there ever was has a digest of its own; other definitions have no names."""
    widths = range(len(REQUIRED), len(NAMES) + 1)
    assert [names_of(digest_of(FEATURES[:n])) for n in widths] == [NAMES[:n] for n in widths]
    assert names_of(FEATURES_DIGEST) == NAMES
    changed = replace(FEATURES[0], digest="0" * 16)
    assert names_of(digest_of([changed, *FEATURES[1:]])) is None
    assert names_of("f" * 64) is None

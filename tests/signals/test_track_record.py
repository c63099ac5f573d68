"""The track record: out of the records alone the table that arrays make of the seconds."""

import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signals.row import Row, Thresholds
from signals.seconds import Seconds
from signals.state import Level
from signals.table import EventTable, Part, event_table, parts_of, rule
from signals.track_record import HOUR_US, TrackRecord, TrackRecords, track_records
from tests.signals.world import FIRST, TAU, columns, played, row, rows, with_theta

THETA = Thresholds(0.25, 0.3)
LEVELS: tuple[Level, Level] = (1, 2)


def bursts(seed: int, count: int = 25) -> list[Row]:
    """Predictions of calm stretches and bursts: foreseen, met late, or missed; with holes."""
    chance, second, taken = random.Random(seed), 0, list[Row]()
    for _ in range(count):
        calm, burst = chance.randrange(250, 700), chance.randrange(5, 200)
        shift = chance.choice((-1_000, -90, -20, -4, 0, 20, 55, 70))
        high = range(calm, calm + burst)
        alarm = range(calm + shift, calm + shift + chance.choice((10, 80)))
        level = chance.choice((1.2, 2.5))
        hole = chance.randrange(2 * calm)
        for at in range(calm + burst):
            if not hole <= at < hole + 15:
                wild = at in alarm
                taken.append(
                    row(
                        second + at,
                        0.9 if wild else 0.05,
                        0.8 if wild and level > 2 else 0.01,
                        realized_volatility_60s=(level if at in high else 0.3) * TAU,
                        tau=TAU * (1.0, 1.1, 0.9)[(second + at) // 600 % 3],
                    )
                )
        second += calm + burst
    end = second + 600
    end += -(FIRST + end) % 60  # a record is made of the first row of a minute
    return with_theta(taken + rows(range(second, end + 1)), THETA)


def of_records(taken: list[Row]) -> TrackRecord:
    """What the records of one product and variant tell."""
    [found] = track_records(played(taken))
    return found


def of_arrays(taken: list[Row]) -> tuple[list[EventTable], list[EventTable]]:
    """The tables of the states and of the plain rule, both levels."""
    seconds = Seconds.of(columns(taken))
    parts = [found[0] for found in parts_of([seconds], THETA)]
    rules = [Part(seconds, rule(seconds, level)) for level in LEVELS]
    states = [event_table([parts[level - 1]], level, (8, 4)[level - 1]) for level in LEVELS]
    return states, [event_table([rules[level - 1]], level) for level in LEVELS]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
@pytest.mark.exhaustive
def test_records_tell_what_arrays_tell(seed: int) -> None:
    """Time, starts, verdicts, onsets, leads and chance are equal, whatever interrupts."""
    taken = bursts(seed)
    found, (states, _) = of_records(taken), of_arrays(taken)
    assert [found.elevated, found.spike] == states


def test_the_rule_beside_is_that_of_arrays() -> None:
    """Its starts, its time, and every onset met at once, none ahead."""
    taken = bursts(11)
    found, (_, rules) = of_records(taken), of_arrays(taken)
    for mine, other in zip((found.elevated_rule, found.spike_rule), rules, strict=True):
        assert (mine.starts, mine.share_in_state) == (other.starts, other.share_in_state)
        assert (mine.onsets, mine.covered_days) == (other.onsets, other.covered_days)
        assert [d.onsets for d in mine.detected] == [d.onsets for d in other.detected]
    assert found.elevated_rule.onsets > 0


def test_there_is_something_to_tell() -> None:
    """The bursts of the law above have onsets of all kinds, starts and verdicts."""
    tables = [of_records(bursts(seed)).elevated for seed in range(2)]
    for name in ("onsets", "starts", "right", "already_there", "early", "late", "missed"):
        assert sum(getattr(table, name) for table in tables) > 0, name


def test_variants_and_feeds_are_counted_apart() -> None:
    """Another variant has its own seconds, also after it has gone and come back."""
    calm = rows(range(3_000))
    taken = [
        replace(one, variant="baseline") if 1_000 <= at < 2_000 else one
        for at, one in enumerate(calm)
    ]
    taken += [replace(one, feed="g") for one in rows(range(100, 700))]
    found = {each.variant: each.elevated for each in track_records(played(taken))}
    seconds = {variant: round(table.covered_days * 86_400) for variant, table in found.items()}
    assert seconds["baseline"] == pytest.approx(1_000, abs=60)
    assert seconds["ml"] == pytest.approx(2_000 + 600, abs=120)


def test_a_later_beginning_leaves_out_what_was_before() -> None:
    """Counts are differences: of the last half of the records only what is in it."""
    taken = bursts(5, 8)
    records = played(taken)
    middle = len(records) // 2
    [late], [whole] = track_records(records[middle:]), track_records(records)
    assert late.elevated.covered_days < whole.elevated.covered_days
    assert late.elevated.starts <= whole.elevated.starts
    assert late.since_us == records[middle].event.time_us
    assert msgspec.to_builtins(late.budget) == {"elevated": 8, "spike": 4}
    assert np.isfinite(late.elevated.share_in_state or 0.0)


def test_all_products_together_are_the_sums_of_each() -> None:
    """Starts, onsets, verdicts and calm seconds add up; rates are a product's, and of all."""
    several = {"BTC-USD": bursts(3, 8), "ETH-USD": bursts(4, 12)}
    records = TrackRecords()
    for name, taken in several.items():
        for record in played(replace(one, product_id=name) for one in taken):
            records.take(record)
    [found], each = records.over_all(), [table.spike for table in records.by_product()]
    assert found.products == ("BTC-USD", "ETH-USD") and found.spike.budget == 4
    for name in ("starts", "onsets", "right", "wrong", "already_there", "missed"):
        assert getattr(found.spike, name) == sum(getattr(table, name) for table in each)
    assert found.spike.covered_days == pytest.approx(sum(table.covered_days for table in each))
    rates = [table.starts_a_day or 0.0 for table in each]
    assert found.spike_starts_a_day == pytest.approx(sum(rates))
    assert min(rates) <= (found.spike.starts_a_day or 0.0) <= max(rates)
    met = [table.detected[0].onsets for table in each]
    assert found.spike.detected[0].onsets == sum(met) > 0
    chances = [table.detected[0].chance or 0.0 for table in each]
    assert min(chances) <= (found.spike.detected[0].chance or 0.0) <= max(chances)


def test_one_product_is_all_products() -> None:
    """Then the figures of both are the same."""
    records = TrackRecords(played(bursts(5, 6)))
    [found], [one] = records.over_all(), records.by_product()
    assert (found.elevated, found.spike_rule) == (one.elevated, one.spike_rule)
    assert found.elevated_starts_a_day == one.elevated.starts_a_day


def test_only_the_last_hours_count() -> None:
    """Whole hours of event time, that under way included; what counts is as if none was before."""
    taken = bursts(6)
    records, last = TrackRecords(played(taken)), taken[-1].time_us // HOUR_US
    for hours in (1, 2, 5):
        [found] = records.by_product(hours)
        whole = [r for r in played(taken) if r.event.time_us // HOUR_US > last - hours]
        [alone] = track_records(whole)
        assert found.since_us == whole[0].event.time_us
        assert found.elevated.starts == alone.elevated.starts
        assert found.spike.onsets == alone.spike.onsets
        more = (found.elevated.covered_days - alone.elevated.covered_days) * 86_400
        assert 0 <= more <= 60  # from the last record before, no longer from the first within

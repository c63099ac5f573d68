"""One run, counted by hand: what closes when, and what is in force."""

from itertools import pairwise
from math import fsum, log, sqrt

import pytest
from msgspec import structs

from featurizer.engine import FeatureEngine
from featurizer.level.histogram import EDGES, cell_of
from featurizer.level.level import Level
from featurizer.level.records import Bin, Closed, Day, Minute
from ingestor.tick import Beat, Event
from tests.featurizer.level.world import DAY, FIRST, played, quotes, run_of
from tests.featurizer.market import SECOND, beat, break_at, tick

NIGHT = FIRST // DAY * DAY + DAY  # an epoch second at which a UTC day begins


def closed_by(events: list[Event]) -> list[Closed]:
    """All that these events close."""
    found: list[Closed] = []
    engine = FeatureEngine(closed=found.append)
    for event in events:
        engine.update(event)
    return found


def test_a_second_is_counted_once_sixty_returns_exist() -> None:
    """Of 0 … 119 the first return is that of 1, so 60 … 119 have an RV60; 120 closes the minute.

    second   0 ... 59 | 60 ... 119 | 120
    RV60     -     -  |  x      x  | not counted yet
    """
    first, second = closed_by(quotes(NIGHT, NIGHT + 121))
    assert isinstance(first, Minute) and isinstance(second, Minute)
    assert (first.n, first.cells) == (59, ())
    assert second.n == sum(count for _, count in second.cells) == 60
    assert [first.start_us, second.start_us] == [NIGHT * SECOND, (NIGHT + 60) * SECOND]


def test_a_minute_holds_its_returns_by_hand() -> None:
    """One step of the quote in 61 seconds: Σ r² is its square, RV60 its size, in one cell."""
    events: list[Event] = [beat(NIGHT + k, 99, 101) for k in range(30)]
    events += [beat(NIGHT + k, 99.1, 101.1) for k in range(30, 121)]
    r = log(100.1 / 100)
    first, second = closed_by(events)
    assert isinstance(first, Minute) and first.squares == pytest.approx(r * r)
    cell = cell_of(sqrt(fsum([r * r])))
    assert second.cells == ((0, 30), (cell, 30))  # 60 … 89 still have the step of 30 in sight


def test_rv60_is_that_of_the_last_row_of_the_second() -> None:
    """To the bit: a row's current term comes last, and so does a closed second's."""
    found: list[Closed] = []
    engine = FeatureEngine(closed=found.append)
    rows = []
    mids = [100.0 + 0.001 * ((k * 7919) % 97) for k in range(240)]
    for k, mid in enumerate(mids):
        row = engine.update(tick((NIGHT + k) * SECOND, mid - 1, mid + 1))
        assert row is not None
        rows.append(row.features["realized_volatility_60s"])
    cells = [cell_of(rv) for rv in rows[60:180] if rv is not None]
    counted = [cell for record in found for cell, n in record.cells for _ in range(n)]
    assert sorted(counted) == sorted(cells) and len(cells) == 120


def test_bin_and_day_close_with_the_first_second_after_them() -> None:
    """Minute first, then its bin, then its day; each has what was counted in it."""
    found = closed_by(quotes(NIGHT - 1_300, NIGHT + 1))
    assert [type(record) for record in found[-3:]] == [Minute, Bin, Day]
    bins = [record for record in found if isinstance(record, Bin)]
    assert [sum(n for _, n in each.cells) for each in bins] == [40, 600, 600]
    assert sum(n for _, n in found[-1].cells) == 1_240
    assert found[-1].start_us == (NIGHT - DAY) * SECOND


def test_a_break_closes_nothing() -> None:
    """Neither in its minute nor stamped an hour later; it takes the returns that cross it."""
    events = quotes(NIGHT, NIGHT + 60)
    late = break_at((NIGHT + 3_600) * SECOND, product_id="P")
    assert closed_by([*events, late]) == []
    broken = [
        *events,
        break_at((NIGHT + 59) * SECOND, product_id="P"),
        beat(NIGHT + 60, product_id="P"),
    ]
    [minute] = closed_by(broken)
    assert isinstance(minute, Minute) and minute.n == 58


def test_a_late_tick_reopens_nothing() -> None:
    """A Tick of a minute, bin or day that is over changes no state and closes nothing."""
    events = quotes(NIGHT - 700, NIGHT + 5)
    engine = played(events)
    before = run_of(engine).state()
    for ago in (5, 65, 700):
        assert engine.update(tick((NIGHT - ago) * SECOND, 50, 60, product_id="P")) is None
    assert run_of(engine).state() == before


def test_a_hole_leaves_its_bins_out() -> None:
    """Where no second was, nothing closes: no record, and no counts."""
    found = closed_by([*quotes(NIGHT, NIGHT + 600), *quotes(NIGHT + 9_000, NIGHT + 9_601)])
    bins = [record for record in found if isinstance(record, Bin)]
    assert [each.start_us // SECOND - NIGHT for each in bins] == [0, 9_000]
    assert [sum(n for _, n in each.cells) for each in bins] == [540, 540]


def test_a_run_is_blind_then_provisional_then_established() -> None:
    """In whole bins: 540 counted in the first, 600 in each other; levels begin with a bin."""
    engine, seen = FeatureEngine(), dict[str, int]()
    for event in quotes(NIGHT, NIGHT + 9 * 3_600):
        engine.update(event)
        seen.setdefault(run_of(engine).level.status, run_of(engine).second - NIGHT)
    assert seen == {"blind": 0, "provisional": 7 * 600, "established": 49 * 600}
    tau = run_of(engine).level.tau
    assert tau in EDGES


def test_the_countdown_ends_when_there_is_a_level() -> None:
    """At the earliest: it never promises too late, and without a hole it is right from 60 s on."""
    engine, waits = FeatureEngine(), list[tuple[int, int | None]]()
    for event in quotes(NIGHT, NIGHT + 4_300):
        engine.update(event)
        waits.append((run_of(engine).second - NIGHT, run_of(engine).wait()))
    assert {second + (wait or 0) for second, wait in waits if second < 4_200} == {4_200}
    assert all(wait == 0 for second, wait in waits if second >= 4_200)


def test_a_market_that_stands_still_is_thin() -> None:
    """After an hour; no countdown then, as seconds do not help."""
    run = run_of(played(quotes(NIGHT, NIGHT + 4_300, still=1.0)))
    assert (run.level, run.wait()) == (Level(None, "thin"), None)


def test_a_day_s_level_forgets_what_is_older_than_144_bins() -> None:
    """After a day and a hole of a day nothing of it is in τ_day, and its week's share is left."""
    events = [*quotes(NIGHT, NIGHT + 9 * 3_600), *quotes(NIGHT + 2 * DAY, NIGHT + 2 * DAY + 61)]
    run = run_of(played(events))
    assert (run.counted, run.level.status) == (0, "provisional")  # 8 h in the week
    events += quotes(NIGHT + 9 * DAY, NIGHT + 9 * DAY + 61)
    assert run_of(played(events)).level == Level(None, "blind")


def test_an_event_of_another_feed_begins_a_run() -> None:
    """Also the feed that was there before: what it earned is not carried over."""
    events = [*quotes(NIGHT, NIGHT + 4_300), *quotes(NIGHT, NIGHT + 9, feed="g")]
    back = break_at((NIGHT + 4_400) * SECOND, product_id="P")
    run = run_of(played([*events, back]))
    assert (run.feed, run.run_us, run.level.status) == ("f", (NIGHT + 4_400) * SECOND, "blind")
    assert run.wait() == 4_000  # 59 + 3,600 seconds from 4,400 on, then the end of their bin


def test_squares_have_the_bits_of_fsum_over_minutes_and_own_seconds() -> None:
    """At any second, of any number of minutes, and again once records replace what was counted."""
    found: list[Minute] = []
    engine = FeatureEngine(closed=lambda each: isinstance(each, Minute) and found.append(each))
    beats = [event for event in quotes(NIGHT, NIGHT + 900) if isinstance(event, Beat)]
    squares = {NIGHT + k + 1: log(b.mid / a.mid) ** 2 for k, (a, b) in enumerate(pairwise(beats))}

    def summed(minutes: list[Minute]) -> tuple[float, int]:
        own = [squares[k] for k in range(run.second // 60 * 60, run.second) if k in squares]
        return fsum([*(m.squares for m in minutes), *own]), sum(m.n for m in minutes) + len(own)

    for event in beats:
        engine.update(event)
        run = run_of(engine)
        for reach in (2, 14, 59):
            first = (run.second // 60 - reach) * 60
            assert run.squares(reach) == summed([m for m in found if m.second >= first])
    doubled = [structs.replace(minute, squares=2 * minute.squares) for minute in found]
    run.resume(run.run_us, doubled, [], [])
    assert run.squares(14) == summed(doubled)

"""The machine: seconds between rows, holes, feeds, and going on from any record."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.events import Change, End, Event, Minute, Verdict
from signals.machine import Machine, hole_before
from signals.records import Record, decode, encode
from signals.row import Row
from signals.state import State
from tests.signals.world import (
    FIRST,
    SECOND,
    TAU,
    happened,
    modes,
    played,
    row,
    rows,
    stream,
    verdicts,
)

SEEDS = st.integers(0, 10_000)
WILD = (0.9, 0.8)
"""Score and severe of a panic."""


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.sampled_from([("f",), ("f", "g")]))
@pytest.mark.exhaustive
def test_a_machine_goes_on_from_any_record(seed: int, feeds: tuple[str, ...]) -> None:
    """With the predictions after its offset it makes what the first one made, byte for byte."""
    taken = stream(seed, 500, feeds)
    machine = Machine()
    whole = [[encode(r) for r in machine.take(one, at)] for at, one in enumerate(taken)]
    for record in [decode(data) for told in whole for data in told]:
        resumed = Machine(record.budget, record.state)
        begin = record.state.offset + 1
        for at in range(begin, min(begin + 150, len(taken))):
            assert [encode(r) for r in resumed.take(taken[at], at)] == whole[at]


def test_a_machine_is_cut_at_every_point() -> None:
    """The newest record before any prediction, and what follows it, give the same to the end."""
    taken = stream(7, 400, ("f", "g"))
    machine, newest = Machine(), list[Record]()
    whole = [machine.take(one, at) for at, one in enumerate(taken)]
    for cut in range(0, len(taken), 5):
        newest = [r for told in whole[:cut] for r in told][-1:] or newest
        resumed = Machine(state=newest[0].state if newest else None)
        begin = resumed.state.offset + 1
        assert [resumed.take(taken[at], at) for at in range(begin, len(taken))] == whole[begin:]


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 40))
def test_repeats_change_nothing(seed: int, back: int) -> None:
    """Predictions that come again, as after a crash of the scorer, are passed over."""
    taken = stream(seed, 300)
    again = [one for at, one in enumerate(taken) for one in _with_repeats(taken, at, back)]
    assert happened(played(again)) == happened(played(taken))


def _with_repeats(taken: list[Row], at: int, back: int) -> list[Row]:
    return [*taken[max(0, at - back) : at + 1], taken[at]] if at % 50 == 49 else [taken[at]]


@settings(max_examples=30, deadline=None)
@given(SEEDS)
@pytest.mark.exhaustive
def test_what_is_told_hangs_together(seed: int) -> None:
    """Each run that ended had one start and, unless it was of late, has one verdict."""
    told = happened(played([*stream(seed), *rows(range(10**6, 10**6 + 2_000, 10))]))
    started = [run.signal_id for e in told if isinstance(e, Change) for run in e.started]
    ended = [e.run.signal_id for e in told if isinstance(e, End)]
    judged = [e.run.signal_id for e in told if isinstance(e, Verdict)]
    assert len(set(started)) == len(started)
    assert sorted(started) == sorted(ended) == sorted(judged)
    for before, after in zip(_changes(told), _changes(told)[1:], strict=False):
        assert (before.mode, before.detail) == (after.before, after.before_detail)
        assert before.time_us < after.time_us
        assert (before.mode, before.detail) != (after.mode, after.detail)


def _changes(told: list[Event]) -> list[Change]:
    return [event for event in told if isinstance(event, Change)]


def test_the_last_row_of_a_second_counts() -> None:
    """Two rows in a second: the first would be a spike, and is none."""
    both = [row(5, *WILD), row(5, trade_id=2)]
    assert "spike" not in [mode for _, mode in modes(played([*rows(range(5)), *both, row(6)]))]


def test_a_second_is_stepped_when_a_later_one_begins() -> None:
    """The row of second 5 shows once that of second 6 has come, and is told for second 5."""
    before = [*rows(range(5)), row(5, *WILD)]
    assert modes(played(before)) == [(0, "calm")]
    assert modes(played([*before, row(6)])) == [(0, "calm"), (5, "spike")]


def test_seconds_between_rows_have_the_values_of_the_first() -> None:
    """A score of 0.9 for nine seconds of silence lifts the smoothed one as nine rows would."""
    dense = rows(range(3)) + rows(range(3, 13), 0.9) + [row(13)]
    sparse = [*rows(range(3)), row(3, 0.9), row(13)]
    smoothed = [played(taken)[-1].state for taken in (dense, sparse)]
    machines = [Machine(), Machine()]
    for machine, taken in zip(machines, (dense, sparse), strict=True):
        played(taken, machine)
    assert machines[0].state.smoothed == machines[1].state.smoothed
    assert all(state.mode == "calm" for state in smoothed)


@pytest.mark.parametrize(
    ("seconds", "after_break", "reason"),
    [(1, False, None), (10, False, None), (11, False, "gap"), (1, True, None), (2, True, "break")],
)
def test_a_hole(seconds: int, after_break: bool, reason: str | None) -> None:
    """More than ten seconds are a gap; a Break takes away the seconds between, if there are any."""
    assert hole_before(row(seconds, after_break=after_break), row(0)) == reason
    taken = [row(0), row(seconds, after_break=after_break), row(seconds + 1)]
    found = [event.detail for event in _changes(happened(played(taken))) if event.mode == "blind"]
    assert found == ([] if reason is None else [reason])


def test_a_null_score_is_blind_until_the_next_row() -> None:
    """Seconds 3 and 4 are blind for the reason of the row of 3; 5 has a score again."""
    taken = [*rows(range(3)), row(3, None, None, reason="thin"), *rows(range(5, 7))]
    assert modes(played(taken)) == [(0, "calm"), (3, "blind"), (5, "calm")]
    assert played(taken)[-2].event.detail == "thin"  # type: ignore[union-attr]


def test_a_reconnect_in_a_panic_never_says_calm() -> None:
    """After a hole of 45 s in a spike the state is blind, then the same spike, with its id."""
    rv = {"realized_volatility_60s": 2.5 * TAU}
    panic = rows(range(10)) + rows(range(10, 40), *WILD, **rv)
    hole = rows(range(85, 95), None, None, reason="warming", after_break=True)
    after = rows(range(95, 120), 0.4, 0.2, **rv)
    told = _changes(happened(played([*panic, *hole, *after])))
    assert [(e.mode, e.detail) for e in told] == [
        ("calm", ""),
        ("spike", "fact"),
        ("blind", "break"),
        ("blind", "warming"),
        ("spike", "fact"),
    ]
    assert {(e.elevated, e.spike) for e in told[1:]} == {(told[1].elevated, told[1].spike)}
    assert told[1].spike is not None and [len(e.started) for e in told] == [0, 2, 0, 0, 0]


def test_a_score_around_theta_does_not_flap() -> None:
    """Over and under θ every second for twenty minutes: one start of each level, and no end."""
    taken = [row(k, 0.5, 0.3 + (0.02 if k % 2 else -0.02)) for k in range(1_200)]
    told = happened(played(taken))
    assert [len(e.started) for e in _changes(told)] == [1, 1]
    assert not [e for e in told if isinstance(e, End)]


def test_a_run_is_kept_for_fifteen_minutes() -> None:
    """900 blind seconds keep it; one more ends it where they began, with the verdict ``cut``."""
    panic = [*rows(range(5)), *rows(range(5, 20), *WILD)]
    kept = played([*panic, *rows(range(920, 925), *WILD)])
    assert [len(e.started) for e in _changes(happened(kept))] == [0, 2, 0, 0]
    gone = happened(played([*panic, *rows(range(921, 925), *WILD)]))
    assert [len(e.started) for e in _changes(gone)] == [0, 2, 0, 2]
    ended = [e for e in gone if isinstance(e, End)]
    assert [e.run.end_us // SECOND - FIRST for e in ended] == [20, 20]  # type: ignore[operator]
    assert verdicts(played([*panic, *rows(range(921, 925), *WILD)])) == [(1, "cut"), (2, "cut")]


def test_a_hole_of_months_takes_no_time() -> None:
    """Ten million blind seconds end the runs as a thousand do."""
    panic = rows(range(5)) + rows(range(5, 20), *WILD)
    short, long = (
        played([*panic, *rows(range(again, again + 5))]) for again in (2_000, 10_000_000)
    )
    assert [e for e in happened(short) if not isinstance(e, Change)] == [
        e for e in happened(long) if not isinstance(e, Change)
    ]


def test_another_feed_clears_all() -> None:
    """Its runs end, their verdict is ``cut``, and the new feed begins blind, in its own time."""
    panic = rows(range(5)) + rows(range(5, 20), *WILD)
    replay = rows(range(-500, -490), feed="g")
    told = played([*panic, *replay])
    assert [mode for _, mode in modes(told)] == ["calm", "spike", "blind", "calm"]
    assert verdicts(told) == [(1, "cut"), (2, "cut")]
    assert [r.feed for r in told if isinstance(r.event, Minute)] == ["f", "g"]
    assert told[-1].state.runs == ()


def test_another_model_changes_theta_and_ends_no_run() -> None:
    """A run under one digest goes on under the next, by whose θ it ends."""
    taken = rows(range(5)) + rows(range(5, 20), *WILD) + rows(range(20, 60), *WILD, digest="other")
    told = played(taken)
    assert modes(told) == [(0, "calm"), (5, "spike")]
    assert not [e for e in happened(told) if isinstance(e, End)]


def test_a_record_a_minute() -> None:
    """One with the first row of each epoch minute, however many rows it has, and none in a gap."""
    told = [r for r in played(rows(range(150)) + rows(range(400, 410))) if _is_minute(r)]
    assert [r.event.time_us // SECOND - FIRST for r in told] == [0, 60, 120, 360]


def _is_minute(record: Record) -> bool:
    return isinstance(record.event, Minute)


def test_the_state_is_written_and_read_to_the_bit() -> None:
    """JSON keeps every float of a state."""
    for record in played(stream(3, 600)):
        assert msgspec.json.decode(msgspec.json.encode(record.state), type=State) == record.state

"""The state of a second, made again: as the records have it, or what differs is named."""

import dataclasses

from msgspec.structs import replace

from monitor.explain.checks import differing
from monitor.explain.course import Course, Retraced, is_before, of_state, told_of
from monitor.states.machines import row_of
from scorer.prediction import Prediction
from signals.machine import Machine
from signals.records import Record
from signals.row import Budget
from tests.featurizer.market import SECOND, START, tick
from tests.monitor.world import predicted

THETA: dict[str, dict[str, float | None]] = {"elevated": {"8": 0.3}, "spike": {"4": 0.2}}


def made(second: int, score: float, trade_id: int = 1, **more: object) -> Prediction:
    """A prediction that a state can be made of, so many seconds after the start."""
    usual = {"score": score, "severe": score / 10, "thresholds": THETA, "tau_status": "seeded"}
    event = tick(START + second * SECOND, trade_id=trade_id)
    return predicted(event, **{**usual, "realized_volatility_60s": 1e-4, **more})


# second    0     1     2     3     4     5
# score     0.1   0.1   0.9 0.9 (two)  0.9  0.9
ROWS = [
    *(made(0, 0.1), made(1, 0.1), made(2, 0.9), made(2, 0.9, trade_id=2)),
    *(made(second, 0.99) for second in range(3, 120)),
]


def recorded(rows: list[Prediction]) -> list[Record]:
    """All records of these predictions."""
    machine = Machine(Budget())
    return [one for at, row in enumerate(rows) for one in machine.take(row_of(row, Budget()), at)]


RECORDS = recorded(ROWS)


def course(rows: list[Prediction], records: list[Record], at: int) -> Course:
    """The course of the prediction at an offset, from the first record."""
    again = Retraced(Machine(Budget(), records[0].state), rows[at])
    for offset, row in enumerate(rows[1:], 1):
        again.take(row, offset)
        if again.over is not None:
            break
    assert again.over is not None
    after = next(one for one in records if one.state.offset >= again.over)
    for later in range(again.over + 1, after.state.offset + 1):
        again.take(rows[later], later)
    told = records[: records.index(after) + 1]
    return Course(records[0], told, after, again.state, again.machine.state)


def test_a_second_has_the_state_that_the_records_tell() -> None:
    """Each is equal, before, at and after the change, and for either row of one second."""
    modes = []
    for at in range(1, 60):
        found = course(ROWS, RECORDS, at)
        checks = of_state(found, ROWS[at])
        assert all(check.equal for check in checks) and len(checks) == 15
        assert found.state is not None
        modes.append(found.state.mode)
    assert course(ROWS, RECORDS, 2).state == course(ROWS, RECORDS, 3).state
    assert set(modes) == {"calm", "elevated"} and modes == sorted(modes)


def test_a_change_that_was_told_otherwise_differs() -> None:
    """A score that is another now gives another state."""
    forged = [*ROWS[:40], *(replace(row, score=0.1) for row in ROWS[40:])]
    low = [*ROWS[:4], *(replace(row, score=0.1) for row in ROWS[4:])]
    assert differing(of_state(course(forged, RECORDS, 50), forged[50]))
    found = differing(of_state(course(low, RECORDS, 50), low[50]))
    assert {"mode", "since_us", "next record's smoothed", "next record's elevated"} <= {*found}


def test_another_budget_in_between_proves_nothing() -> None:
    """Its thresholds are other ones from a row on that no record names."""
    found = course(ROWS, RECORDS, 50)
    other = replace(found.told[-1], budget=Budget(elevated=16))
    low = dataclasses.replace(found, told=[*found.told[:-1], other], state=RECORDS[0].state)
    checks = of_state(low, ROWS[50])
    assert differing(checks) == []
    assert {c.why for c in checks if c.equal is None} == {"the budget was changed in between"}


def test_a_record_is_before_by_offset_and_by_time() -> None:
    """A repeat of the prediction that the record has taken makes it none."""
    first, *_ = RECORDS
    assert is_before(first, ROWS[1], 1)
    assert not is_before(first, ROWS[1], 0)
    assert not is_before(first, ROWS[0], 9)
    assert is_before(first, replace(ROWS[0], feed="another"), 9)


def test_another_feed_leaves_a_second_without_a_state() -> None:
    """It was under way and is never stepped."""
    other = replace(made(500, 0.1), feed="another")
    again = Retraced(Machine(Budget(), RECORDS[0].state), ROWS[1])
    again.take(ROWS[1], 1)
    assert (again.over, again.state) == (None, None)
    again.take(other, 2)
    assert (again.over, again.state) == (2, None)


def test_what_was_told_of_another_feed_says_nothing() -> None:
    """The states of a feed begin with its first row."""
    base = replace(RECORDS[0], state=replace(RECORDS[0].state, mode="calm"))
    wanted = replace(made(1, 0.1), feed="another")
    assert told_of(Course(base=base, told=RECORDS), wanted) == ("blind", "start", -1)

"""Records found in ``signals`` and the state made again, wherever a prediction stands."""

import dataclasses

from ingestor.topics import PREDICTIONS, SIGNALS
from monitor.explain.course import Course, of_state
from monitor.explain.course_lookup import (
    NOT_OVER,
    NOT_THERE,
    NOT_TOLD,
    NOTHING_BEFORE,
    CourseLookup,
)
from monitor.states.machines import row_of
from plumbing.kafka import Partition, Record
from scorer.prediction import Prediction
from scorer.prediction import decode as decode_prediction
from scorer.prediction import encode as encode_prediction
from signals.events import Change, End, Minute
from signals.machine import Machine
from signals.records import decode as decode_signal
from signals.records import encode as encode_signal
from signals.row import Budget
from signals.state import State
from signals.steps import step
from tests.featurizer.market import SECOND, START
from tests.monitor.explain.test_course import made, recorded
from tests.monitor.explain.world import MADE, logged
from tests.monitor.world import Log, LogReader

PRODUCT = "BTC-USD"
MINE = [prediction for prediction in MADE if prediction.product_id == PRODUCT]


def course(log: Log, at: int) -> tuple[Course, Prediction]:
    """The course around the product's prediction of that number."""
    record = predictions(log)[at]
    prediction = decode_prediction(record.value)
    return CourseLookup(LogReader(log, most=5_000), record, prediction).course(), prediction


def predictions(log: Log) -> list[Record]:
    """The product's records of predictions."""
    return [record for record in log.of(PREDICTIONS.name) if record.key == PRODUCT]


def partition(log: Log, topic: str) -> Partition:
    """Where the product stands."""
    return Partition(topic, next(r.partition for r in log.of(topic) if r.key == PRODUCT))


def states() -> list[State]:
    """The state at the second of each prediction but those of the last, from the first row on."""
    machine, found = Machine(Budget()), list[State]()
    for at, prediction in enumerate(MINE):
        before = machine.state
        machine.take(row_of(prediction, Budget()), at)
        last, newest = before.last, machine.state.last
        if last is not None and newest is not None and newest.second != last.second:
            found += [step(before, last.second, last)[0]] * (at - len(found))
    return found


def test_each_state_is_the_one_of_a_machine_that_took_all() -> None:
    """And all that the records say is equal, until the last minute, which is not told yet."""
    log, whole = logged(), states()
    modes = set()
    for at in range(len(MINE)):
        found, prediction = course(log, at)
        assert found.state == (whole[at] if at < len(whole) else None)
        checks = of_state(found, prediction)
        if found.after is not None:
            assert all(check.equal for check in checks) and len(checks) == 15
        modes.add(found.state and found.state.mode)
    assert {"blind", "calm", "elevated"} <= modes
    last, prediction = course(log, len(MINE) - 1)
    (check,) = of_state(last, prediction)
    assert check.why == NOT_OVER


def test_a_record_that_follows_may_not_be_told_yet() -> None:
    """The state is shown; whether the records would have it is not known."""
    log = logged()
    kept = log.records[partition(log, SIGNALS.name)]
    del kept[next(at for at, one in enumerate(kept) if one.offset > len(kept) // 2) :]
    stood = decode_signal(kept[-1].value).state.offset
    found, prediction = course(log, stood + 1)
    (check,) = of_state(found, prediction)
    assert found.state is not None and check.recomputed == found.state.mode
    assert (check.equal, check.why) == (None, NOT_TOLD)


def test_what_has_expired_is_unknown() -> None:
    """The records before a prediction, or what the record before it stands on."""
    at = len(MINE) // 2
    log = logged()
    told = partition(log, SIGNALS.name)
    log.trim(told, len(log.records[told]))
    assert course(log, at)[0] == Course(why=NOTHING_BEFORE)
    log = logged()
    log.trim(partition(log, PREDICTIONS.name), at)
    assert course(log, at)[0] == Course(why=NOT_THERE)


def test_predictions_that_began_anew_say_nothing_of_older_records() -> None:
    """Their offsets are those of other predictions."""
    log = logged()
    kept = log.records[partition(log, PREDICTIONS.name)]
    first = kept[0].timestamp_ms
    for offset, prediction in enumerate(MINE[100:]):
        value = encode_prediction(prediction)
        kept[offset] = dataclasses.replace(kept[offset], value=value)
    del kept[len(MINE) - 100 :]
    assert first == kept[0].timestamp_ms
    assert course(log, 200)[0] == Course(why=NOT_THERE)


def test_a_repeat_has_the_state_of_what_it_repeats() -> None:
    """A scorer that came back scored it again; the machine passed it over."""
    log, at = logged(), len(MINE) // 2
    wanted, _ = course(log, at)
    log.prediction(MINE[at])
    again, prediction = course(log, -1)
    assert prediction == MINE[at] and again.state == wanted.state is not None
    assert all(check.equal for check in of_state(again, prediction))


def test_records_that_were_told_twice_or_late_change_nothing() -> None:
    """A monitor that was killed tells a row's records again; one that was away tells all later."""
    log, whole = logged(), states()
    told = partition(log, SIGNALS.name)
    kept = [record for record in log.records[told] if record.key == PRODUCT]
    log.records[told].clear()
    log.pass_time(3_600)
    for at, record in enumerate(kept):
        for repeated in (*kept[max(0, at - 2) : at], record):
            log.append(SIGNALS.name, PRODUCT, repeated.value)
    for at in range(5, len(MINE) - 100, 50):
        found, prediction = course(log, at)
        assert found.state == whole[at]
        assert all(check.equal for check in of_state(found, prediction))


def test_all_that_one_row_decided_is_read() -> None:
    """Where a run ends in the last second of a minute: change, end and minute are of one row."""
    rows = [made(second, 0.9 if second < 17 else 0.01) for second in range(400)]
    told, log = recorded(rows), Log(partitions=3)
    of_it = [one for one in told if 279 <= one.event.time_us // SECOND - START // SECOND <= 280]
    assert [type(one.event) for one in of_it] == [Change, End, Minute]
    assert [one.state.offset for one in of_it] == [279, 279, 280]
    for row in rows:
        log.prediction(row)
    for one in told:
        log.append(SIGNALS.name, PRODUCT, encode_signal(one))
    found, prediction = course(log, 280)
    assert found.base == of_it[0] and found.state is not None and found.state.mode == "calm"
    assert all(check.equal for check in of_state(found, prediction))

"""States beside the reading loop: recorded once, whatever is killed, and shown."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ingestor.topics import PREDICTIONS, SIGNALS
from monitor.signals.rows import row_of
from plumbing.kafka import Partition
from scorer.prediction import decode as decode_prediction
from signals.machine import Machine
from signals.records import Record, decode, encode
from signals.row import Budget
from tests.featurizer.market import START
from tests.monitor.follower import Monitor
from tests.monitor.signals.world import of_rows, said
from tests.monitor.world import SECOND, Log
from tests.signals.world import stream

PRODUCTS = ("BTC-USD", "ETH-USD", "LTC-USD")
ROWS = {name: of_rows(stream(seed, 500, feeds=("f", "g"))) for seed, name in enumerate(PRODUCTS)}


def published(log: Log, product: str) -> list[bytes]:
    """The records of a product in their order; what was published again is left out."""
    found = [r.value for at, kept in log.records.items() if at.topic == SIGNALS.name for r in kept]
    mine = [value for value in found if decode(value).product_id == product]
    return list(dict.fromkeys(mine))


def uninterrupted(log: Log, product: str) -> list[bytes]:
    """What one machine makes of the product's predictions."""
    machine, made = Machine(), list[Record]()
    for at, kept in log.records.items():
        for record in kept if at.topic == PREDICTIONS.name else ():
            prediction = decode_prediction(record.value)
            if prediction.product_id == product:
                made += machine.take(row_of(prediction, Budget()), record.offset)
    return [encode(record) for record in made]


@pytest.mark.timeout(600)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), kills=st.floats(0.0, 0.3))
def test_killed_anywhere_the_same_records_stand(seed: int, kills: float) -> None:
    """In the same order and to the bit: no twin of a record has other content."""
    chance, log = random.Random(seed), Log(partitions=2)
    waiting = {name: iter(ROWS[name]) for name in PRODUCTS}
    monitor = Monitor(log, seed)
    while waiting:
        name = chance.choice(sorted(waiting))
        for _ in range(chance.choice((1, 20, 60))):
            made = next(waiting[name], None)
            if made is None:
                waiting.pop(name)
                break
            log.prediction(replace(made, product_id=name))
        for _ in range(chance.choice((0, 1, 3))):
            monitor.follower.step()
        if chance.random() < kills:
            monitor = Monitor(log, seed, most=chance.choice((3, 40)))
    monitor.drain()
    for name in PRODUCTS:
        assert published(log, name) == uninterrupted(log, name)
        assert len(published(log, name)) > 20


def spoken(log: Log, seconds: range, **more: object) -> None:
    """Have predictions of these seconds made."""
    for second in seconds:
        log.prediction(said(second, **more))


def test_the_desk_shows_what_the_predictions_say() -> None:
    """A second is over when the next row comes; the values are the newest row's."""
    log = Log(partitions=1)
    spoken(log, range(3), score=0.8, severe=0.6)
    monitor = Monitor(log)
    monitor.drain()
    row = monitor.desk.newest_row("BTC-USD")
    assert row is not None and row.time_us == START + 2 * SECOND
    record = monitor.desk.newest_record("BTC-USD")
    assert record is not None and record.state.mode == "spike"
    kept = log.records[Partition(SIGNALS.name, 0)]
    assert {r.key for r in kept} == {"BTC-USD"}
    assert decode(kept[-1].value) == record


def test_a_restart_shows_the_state_before_anything_new_comes() -> None:
    """It is made again of the newest record and what was taken after it."""
    log = Log(partitions=1)
    spoken(log, range(100), score=0.8, severe=0.6)
    before = Monitor(log)
    before.drain()
    after = Monitor(log)
    after.drain()
    [shown], [expected] = after.desk.standings(), before.desk.standings()
    assert shown == expected and shown.spike is not None


def test_a_record_that_cannot_be_read_is_counted_and_passed_over() -> None:
    """The one before it is gone on from, and nothing is told twice."""
    log = Log(partitions=1)
    spoken(log, range(100), score=0.8, severe=0.6)
    Monitor(log).drain()
    log.append(SIGNALS.name, "BTC-USD", b'{"schema_version":99}')
    monitor = Monitor(log)
    assert monitor.value("monitor_bad_records_total", topic=SIGNALS.name) == 1
    log.records[Partition(SIGNALS.name, 0)].pop()
    spoken(log, range(100, 103), score=0.8, severe=0.6)
    monitor.drain()
    assert published(log, "BTC-USD") == uninterrupted(log, "BTC-USD")


def test_offsets_of_a_topic_that_began_anew_hide_nothing() -> None:
    """Its predictions are told from those taken by their times."""
    log = Log(partitions=1)
    spoken(log, range(200))
    Monitor(log).drain()
    log.records[Partition(PREDICTIONS.name, 0)].clear()
    log.committed.clear()
    spoken(log, range(150, 175), score=0.8, severe=0.6)
    monitor = Monitor(log)
    monitor.drain()
    record = monitor.desk.newest_record("BTC-USD")
    assert record is not None and record.state.mode == "spike"
    assert record.state.spike is not None
    assert record.state.spike.start_us == START + 161 * SECOND  # the newest record is of 160


def test_the_settings_choose_the_budget() -> None:
    """Each record says which."""
    log = Log(partitions=1)
    spoken(log, range(2))
    monitor = Monitor(log, budget_elevated="16", budget_spike="2")
    monitor.drain()
    record = monitor.desk.newest_record("BTC-USD")
    assert record is not None and record.budget == Budget(elevated=16, spike=2)

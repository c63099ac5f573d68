"""The reading loop over a log in memory: nothing is lost by a kill, at any point."""

import random
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from ingestor.dead_letter import decode as decode_letter
from ingestor.tick import Event
from ingestor.topics import DEAD_LETTERS, PREDICTIONS, SIGNALS, TICKS
from monitor.config import Settings
from monitor.follow import Session
from monitor.http.board import Board, Shown
from monitor.join import Joiner
from monitor.metrics import MonitorMetrics
from monitor.outcome import Outcome, encode
from monitor.states.machines import Machines
from plumbing.kafka import Outbox, Partition, Record, TopicChanged
from plumbing.stop import Stop
from scorer.prediction import Prediction
from scorer.prediction import decode as decode_prediction
from scorer.prediction import encode as encode_prediction
from signals import records as signals
from signals.events import Change, End, Minute, Verdict
from signals.row import Budget
from tests.featurizer.market import START, beat, break_at, market, tick
from tests.monitor.world import SECOND, Log, LogProducer, LogReader, predicted, predictions_of


class Monitor:
    """A follower with its surroundings; dropping it is a kill."""

    def __init__(self, log: Log, seed: int = 0, most: int = 40, **more: int) -> None:
        self.board = Board()
        self.new: list[Shown] = []
        self.stand: list[signals.Record] = []
        self.metrics = MonitorMetrics(CollectorRegistry())
        self.reader = LogReader(log, seed, most)
        self._now = 0.0
        self.follower = Session(
            self.reader,
            LogReader(log, seed + 1, 500),
            Outbox(lambda: LogProducer(log), Stop().wait),
            self.board,
            self.metrics,
            Settings(**more),
            self.new.extend,
            self.stand.append,
            clock=self.clock,
            wall=lambda: 0.0,
        )
        self.follower.start()

    def clock(self) -> float:
        self._now += 0.2
        return self._now

    def drain(self) -> None:
        """Read on until all is read and the rarely done checks were done."""
        quiet = 0
        while quiet < 60:
            quiet = 0 if self.follower.step() else quiet + 1

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


def bits(outcomes: Iterable[Outcome]) -> dict[str, bytes]:
    """Outcomes by id; one that was published again must have equal bits."""
    found: dict[str, bytes] = {}
    for outcome in outcomes:
        made = encode(outcome)
        assert found.setdefault(outcome.prediction_id, made) == made
    return found


def calm(events: list[Event], predictions: list[Prediction]) -> dict[str, bytes]:
    """The outcomes of a run in which nothing happens."""
    joiner = Joiner(history=10**6)
    for prediction in predictions:
        joiner.add(prediction)
    return bits(m.outcome for event in events for m in joiner.update(event))


EVENTS = market(seed=11, steps=800, feeds=("first", "second", "first-again"))
THETA: dict[str, dict[str, float | None]] = {
    level: dict.fromkeys(("2", "4", "8", "16"), theta)
    for level, theta in (("elevated", 0.6), ("spike", 0.7))
}
MADE = [
    replace(p, severe=0.8 * (p.score or 0.0), thresholds=THETA, tau_status="established")
    for p in predictions_of(EVENTS)
]
CALM = calm(EVENTS, MADE)


def told(log: Log) -> dict[str, list[bytes]]:
    """Each product's records of states in their order, a repeat after a kill left out."""
    found: dict[str, dict[bytes, None]] = {}
    for record in log.of(SIGNALS.name):
        found.setdefault(record.key or "", {})[record.value] = None
    return {name: list(values) for name, values in sorted(found.items())}


def states(log: Log) -> dict[str, list[bytes]]:
    """Each product's records as one machine makes them of all predictions in the log."""
    machines, found = Machines(Budget()), dict[str, list[bytes]]()
    for record in log.of(PREDICTIONS.name):
        for one in machines.take(decode_prediction(record.value), record.offset):
            found.setdefault(one.product_id, []).append(signals.encode(one))
    return dict(sorted(found.items()))


def feed_in_pieces(log: Log, chance: random.Random) -> Iterable[None]:
    """Append the events, and the predictions some events later, a few at a time."""
    by_row = {(p.feed, p.product_id, p.time_us, p.trade_id): p for p in MADE}
    late: list[Prediction] = []
    for event in EVENTS:
        log.event(event)
        key = (event.feed, event.product_id, event.time_us, getattr(event, "trade_id", 0) or 0)
        if key in by_row:
            late.append(by_row.pop(key))
        if chance.random() < 0.02:
            for prediction in late:
                log.prediction(prediction)
            late.clear()
            yield
    for prediction in late:
        log.prediction(prediction)
    yield


@pytest.mark.timeout(600)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), kills=st.floats(0.0, 0.4))
@pytest.mark.exhaustive
def test_restart_at_any_point_equals_no_restart(seed: int, kills: float) -> None:
    """Killed and started anew anywhere, the same outcomes are published to the bit."""
    chance = random.Random(seed)
    log = Log()
    monitor = Monitor(log, seed)
    for _ in feed_in_pieces(log, chance):
        for _ in range(chance.choice((0, 1, 3, 10))):
            monitor.follower.step()
        if chance.random() < kills:
            monitor = Monitor(log, seed, most=chance.choice((3, 40)))
    monitor.drain()
    assert bits(log.outcomes()) == CALM
    assert told(log) == states(log)


def test_states_of_all_kinds_are_told() -> None:
    """Of the world of the law above: changes, runs with verdicts, and minutes."""
    log = Log()
    for _ in feed_in_pieces(log, random.Random(2)):
        pass
    monitor = Monitor(log)
    monitor.drain()
    stand = sorted(signals.encode(each) for each in monitor.stand)
    assert stand == sorted(record.value for record in log.of(SIGNALS.name))
    kinds = {type(signals.decode(value).event) for each in told(log).values() for value in each}
    assert kinds >= {Change, End, Verdict, Minute}


def test_first_start_on_standing_topics_settles_everything() -> None:
    """A monitor that never ran before gives every prediction its outcome."""
    log = Log()
    for _ in feed_in_pieces(log, random.Random(1)):
        pass
    Monitor(log).drain()
    assert bits(log.outcomes()) == CALM


def test_backlog_of_predictions_does_not_fill_memory() -> None:
    """With many predictions unread only so many wait at once, and all are settled."""
    log = Log()
    ticks = [tick(START + n * SECOND // 20, trade_id=n) for n in range(9_000)]
    for event in ticks:
        log.event(event)
        log.prediction(predicted(event))
    monitor = Monitor(log, most=300, most_pending=1_500, history_seconds=120)
    worst = 0
    while monitor.follower.step():
        worst = max(worst, monitor.follower.pending)
    monitor.drain()
    horizon = 62 * 20
    assert worst <= 1_500 + 300
    assert 0 < monitor.follower.pending <= horizon
    assert len(log.outcomes()) == 9_000 - monitor.follower.pending


def test_prediction_long_after_its_ticks_is_settled_by_reading_back() -> None:
    """A scorer that was away for longer than the monitor remembers loses nothing."""
    log = Log()
    ticks = [tick(START + n * SECOND, trade_id=n) for n in range(500)]
    for event in ticks:
        log.event(event)
    monitor = Monitor(log, history_seconds=120)
    monitor.drain()
    for event in ticks[:10]:
        log.prediction(predicted(event))
    monitor.drain()
    assert [o.label for o in log.outcomes()] == [False] * 10
    assert monitor.value("monitor_rewinds_total") == 1.0


def test_prediction_without_ticks_is_settled_once_all_is_read() -> None:
    """Where retention took the ticks, the outcome says so, and nothing waits for ever."""
    log = Log()
    for n in range(100):
        log.event(tick(START + n * SECOND, trade_id=n, feed="g"))
    log.prediction(predicted(tick(START, feed="gone")))
    monitor = Monitor(log)
    monitor.drain()
    assert [o.reason for o in log.outcomes()] == ["coverage"]
    assert monitor.value("monitor_predictions_without_ticks_total") == 1.0


def test_commits_up_to_the_oldest_waiting_prediction() -> None:
    """What is not settled is read again by the next process."""
    log = Log(partitions=1)
    ticks = [tick(START + n * SECOND, trade_id=n) for n in range(100)]
    for event in ticks:
        log.event(event)
        log.prediction(predicted(event))
    monitor = Monitor(log)
    monitor.drain()
    assert log.committed == {Partition(PREDICTIONS.name, 0): 100 - 61}
    assert monitor.follower.pending == 61


def test_restart_reads_ticks_back_only_as_far_as_needed() -> None:
    """A start does not read the whole topic again."""
    log = Log(partitions=1)
    ticks = [tick(START + n * SECOND, trade_id=n) for n in range(1_000)]
    for event in ticks:
        log.event(event)
        log.prediction(predicted(event))
    Monitor(log).drain()
    again = Monitor(log)
    again.drain()
    assert again.value("monitor_records_total", topic=TICKS.name) == 61 + 1


def put(log: Log, second: int, product: str) -> None:
    """A tick and its prediction."""
    event = tick(START + second * SECOND, trade_id=second, product_id=product)
    log.event(event)
    log.prediction(predicted(event))


@pytest.fixture
def one_dropped() -> Log:
    """Two products for a while, then one alone for many more seconds."""
    log = Log(partitions=1)
    for second in range(2_000):
        put(log, second, "LTC-USD")
        if second < 100:
            put(log, second, "ADA-USD")
    return log


def test_a_restart_tells_no_outcome_again(one_dropped: Log) -> None:
    """A product that is fed no more keeps the position back, and no outcome is told twice."""
    for _ in range(3):
        monitor = Monitor(one_dropped, most=400)
        monitor.drain()
        monitor.follower.commit()
    told = [outcome.prediction_id for outcome in one_dropped.outcomes()]
    assert len(told) == len(set(told)) == 2_100 - 2 * 61


def test_an_outcome_is_final_though_its_ticks_expire(one_dropped: Log) -> None:
    """What could be said of it later would be another label."""
    Monitor(one_dropped, most=400).drain()
    before = bits(one_dropped.outcomes())
    ticks = Partition(TICKS.name, 0)
    one_dropped.trim(ticks, len(one_dropped.records[ticks]) - 300)
    Monitor(one_dropped, most=400).drain()
    after = bits(one_dropped.outcomes())
    assert before.items() <= after.items()
    assert len(after) == len(one_dropped.outcomes())


def test_what_waits_in_vain_is_given_up(one_dropped: Log) -> None:
    """Once the broker took others for long enough: with a reason, and the position moves on."""
    one_dropped.pass_time(seconds=1_000)
    for second in range(2_000, 2_200):
        put(one_dropped, second, "LTC-USD")
    monitor = Monitor(one_dropped, most=400)
    monitor.drain()
    monitor.follower.commit()
    given_up = [o for o in one_dropped.outcomes() if o.reason == "unfinished"]
    assert {o.product_id for o in given_up} == {"ADA-USD"} and len(given_up) == 61
    assert monitor.follower.pending == 61
    [committed] = one_dropped.committed.values()
    assert committed == 2_300 - 61
    Monitor(one_dropped, most=400).drain()
    assert len(one_dropped.outcomes()) == len(bits(one_dropped.outcomes()))


def test_a_halt_of_everything_gives_nothing_up(one_dropped: Log) -> None:
    """Time of ours alone says nothing: the broker took nothing else meanwhile."""
    monitor = Monitor(one_dropped, most=400, give_up_seconds=120)
    monitor.drain()
    assert monitor.follower.pending == 2 * 61


def test_a_topic_that_began_anew_is_noticed(one_dropped: Log) -> None:
    """The session says so and ends; the next one reads what there is now."""
    monitor = Monitor(one_dropped, most=400)
    monitor.drain()
    for topic in (TICKS.name, PREDICTIONS.name):
        one_dropped.records[Partition(topic, 0)].clear()
    one_dropped.committed.clear()  # as Kafka does with the topic
    with pytest.raises(TopicChanged, match="ends before what was read"):
        monitor.drain()
    assert monitor.value("monitor_topic_changes_total", kind="began_anew") == 1
    for second in range(5_000, 5_200):
        put(one_dropped, second, "LTC-USD")
    told = len(one_dropped.outcomes())
    Monitor(one_dropped, most=400).drain()
    assert len(one_dropped.outcomes()) == told + 200 - 61


def test_a_quiet_product_is_known_after_a_restart() -> None:
    """Its last prediction stands far behind those of its neighbours."""
    log = Log(partitions=1)
    put(log, 0, "ADA-USD")
    for second in range(5_000):
        put(log, second, "LTC-USD")
    assert Monitor(log, most=400).board.products() == ["ADA-USD", "LTC-USD"]


def test_a_product_that_fell_silent_stands_where_it_stood_after_a_restart() -> None:
    """Its last rows, of which no minute's record stands, lie before the position of the group."""
    log = Log(partitions=1)
    for second in range(100):
        put(log, second, "ADA-USD")
        put(log, second, "LTC-USD")
    monitor = Monitor(log, most=400)
    monitor.drain()
    log.pass_time(seconds=1_000)
    for second in range(100, 300):
        put(log, second, "LTC-USD")
    monitor.drain()
    monitor.follower.commit()
    before = {each.product_id: each.state for each in monitor.board.states()}
    records = [signals.decode(r.value) for r in log.of(SIGNALS.name) if r.key == "ADA-USD"]
    left = before["ADA-USD"].offset - records[-1].state.offset
    [committed] = log.committed.values()
    assert left > 0 and before["ADA-USD"].offset < committed - 1
    stood = len(log.of(SIGNALS.name))
    again = Monitor(log, most=400)
    again.drain()
    assert {each.product_id: each.state for each in again.board.states()} == before
    assert len(log.of(SIGNALS.name)) == stood


def test_gauges_of_a_product_that_is_gone_go(one_dropped: Log) -> None:
    """Its live quality is true no more."""
    monitor = Monitor(one_dropped, most=400, quality_window_seconds=600)
    monitor.drain()
    rows = {"variant": "ml", "coverage": "any"}
    assert monitor.value("monitor_quality_rows", product="LTC-USD", **rows) == 600
    assert monitor.value("monitor_quality_rows", product="ADA-USD", **rows) is None


@pytest.mark.exhaustive
def test_ticks_are_not_read_again_for_every_burst_of_late_predictions() -> None:
    """The model was away for hours: its rows are caught up burst by burst."""
    log, hours, burst = Log(partitions=1), 3 * 3_600, 300
    ticks = [tick(START + n * SECOND, trade_id=n) for n in range(hours)]
    for event in ticks:
        log.event(event)
    monitor = Monitor(log, most=400)
    monitor.drain()
    for start in range(0, hours, burst):
        late_us = (hours - start) * SECOND
        for event in ticks[start : start + burst]:
            log.prediction(predicted(event, scored_us=event.received_us + late_us))
        monitor.drain()
    assert len(log.outcomes()) == len(bits(log.outcomes())) == hours - 61
    assert {outcome.reason for outcome in log.outcomes()} == {None}
    assert (monitor.value("monitor_records_total", topic=TICKS.name) or 0) < 3 * hours


def test_bad_record_is_counted_and_left_behind() -> None:
    """One record that cannot be read stops nothing."""
    log = Log(partitions=1)
    monitor = Monitor(log)
    log.append(TICKS.name, "BTC-USD", b"{}")
    log.append(PREDICTIONS.name, "BTC-USD", b"not json")
    monitor.drain()
    assert monitor.value("monitor_bad_records_total", topic=TICKS.name) == 1.0
    assert monitor.value("monitor_bad_records_total", topic=PREDICTIONS.name) == 1.0


def test_a_state_that_cannot_be_read_is_counted_and_the_one_before_stands() -> None:
    """At a start the newest record that can be read is gone on from."""
    log = Log(partitions=1)
    event = tick(START, trade_id=1)
    log.event(event)
    log.prediction(predicted(event))
    Monitor(log).drain()
    told = len(log.of(SIGNALS.name))
    log.append(SIGNALS.name, "BTC-USD", b"{}")
    again = Monitor(log)
    again.drain()
    assert again.value("monitor_bad_records_total", topic=SIGNALS.name) == 1.0
    assert len(log.of(SIGNALS.name)) == told + 1 > 1


def test_each_prediction_that_cannot_be_read_is_one_dead_letter() -> None:
    """A start reads again from the oldest one that waits; what was posted then is not again."""
    log = Log(partitions=1)
    waiting = tick(START, trade_id=0)
    log.event(waiting)
    log.prediction(predicted(waiting))
    log.append(PREDICTIONS.name, "BTC-USD", b"not json")
    log.append(TICKS.name, "BTC-USD", b"{}")  # the featurizer's, not the monitor's
    Monitor(log).drain()
    log.append(PREDICTIONS.name, "BTC-USD", b"")
    Monitor(log).drain()
    Monitor(log).drain()
    letters = [decode_letter(r.value) for r in log.records[Partition(DEAD_LETTERS.name, 0)]]
    places = [(letter.source, letter.topic, letter.offset) for letter in letters]
    assert places == [("monitor", PREDICTIONS.name, 1), ("monitor", PREDICTIONS.name, 2)]
    assert letters[1].reason == "found no value, expected JSON"


def test_a_quote_that_no_return_can_be_made_of_stops_nothing() -> None:
    """A tick that the featurizer refuses is none here either, after a restart too."""
    log = Log(partitions=1)
    for n in range(70):
        event = tick(START + n * SECOND, trade_id=n)
        log.event(event)
        log.prediction(predicted(event))
        if n == 30:
            zero = msgspec.structs.replace(event, bid=0.0, ask=0.0, trade_id=1_000)
            log.event(zero)
    Monitor(log).drain()
    after = Monitor(log)
    after.drain()
    assert [s.prediction.trade_id for s in after.board.all_latest()] == [69]
    assert len(bits(log.outcomes())) >= 9


def test_restart_knows_latest_prediction_and_quality() -> None:
    """The window of live quality and the latest predictions survive a restart."""
    log = Log(partitions=1)
    ticks = [tick(START + n * SECOND, trade_id=n) for n in range(200)]
    for event in ticks:
        log.event(event)
        log.prediction(predicted(event))
    before = Monitor(log)
    before.drain()
    after = Monitor(log)
    after.drain()
    labels = {"product": "BTC-USD", "variant": "ml", "coverage": "any"}
    assert before.value("monitor_quality_rows", **labels) == 200 - 61
    assert after.value("monitor_quality_rows", **labels) == 200 - 61
    assert [s.prediction.trade_id for s in after.board.all_latest()] == [199]


def test_restart_shows_no_prediction_a_second_time() -> None:
    """Predictions read again for their labels are not news."""
    log = Log(partitions=1)
    for n in range(100):
        event = tick(START + n * SECOND, trade_id=n)
        log.event(event)
        log.prediction(predicted(event))
    before = Monitor(log)
    before.drain()
    assert len(before.new) == 1
    after = Monitor(log)
    after.drain()
    log.prediction(predicted(tick(START + 100 * SECOND, trade_id=100)))
    after.drain()
    assert [s.prediction.trade_id for s in after.new] == [99, 100]


def test_outcome_continues_the_trace_of_its_prediction() -> None:
    """The trace runs from the tick to the outcome."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    log = Log(partitions=1)
    ticks = [tick(START + n * SECOND, trade_id=n) for n in range(62)]
    value = encode_prediction(predicted(ticks[0]))
    log.append(PREDICTIONS.name, "BTC-USD", value, {"traceparent": trace})
    for event in ticks:
        log.event(event)
    Monitor(log).drain()
    (record,) = log.records[Partition("outcomes", 0)]
    assert record.headers["traceparent"].split("-")[1] == trace.split("-")[1]


def test_an_end_in_order_commits_and_closes() -> None:
    """What is published by then is not read again."""
    log = Log(partitions=1)
    for n in range(100):
        event = tick(START + n * SECOND, trade_id=n)
        log.event(event)
        log.prediction(predicted(event))
    monitor = Monitor(log, commit_seconds=3_600)
    monitor.drain()
    assert log.committed.get(Partition(PREDICTIONS.name, 0), 0) < 100 - 61
    monitor.follower.close()
    assert log.committed == {Partition(PREDICTIONS.name, 0): 100 - 61}
    assert monitor.reader.closed


def test_an_end_after_a_failure_commits_nothing() -> None:
    """The broker is away: the connections are closed without asking it once more."""
    log = Log(partitions=1)
    event = tick(START, trade_id=1)
    log.event(event)
    log.prediction(predicted(event))
    monitor = Monitor(log)

    def away(timeout: float) -> list[Record]:
        raise OSError("broker away")

    monitor.reader.poll = away  # type: ignore[method-assign]
    with pytest.raises(OSError, match="away"):
        monitor.follower.step()
    log.committed.clear()
    monitor.follower.close()
    assert (log.committed, monitor.reader.closed) == ({}, True)


def test_the_board_knows_breaks_and_forecasts() -> None:
    """What the page shows of holes, and of what chances said, comes with the ticks."""
    log, first = Log(), START // SECOND
    monitor = Monitor(log)
    log.prediction(predicted(beat(first)))
    for second in range(first, first + 90):
        log.event(beat(second))
    log.event(late := break_at(START + 95 * SECOND))
    monitor.drain()
    assert monitor.board.breaks() == [late]
    assert [each.figures.n for each in monitor.board.forecasts] == [1, 1]

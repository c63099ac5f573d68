"""How predictions meet their labels."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizer.labels import MidLog
from ingestor.tick import Event, Tick
from monitor.join import Joiner, Matured
from monitor.metrics import RESULTS, result_of
from monitor.outcome import Outcome, decode, encode
from scorer.prediction import Prediction
from tests.featurizer.market import START, beat, break_at, market, tick
from tests.monitor.world import SECOND, TAU, predicted, predictions_of

S0 = START // SECOND


def at(second: float, bid: float = 99.0, ask: float = 101.0, **more: object) -> Tick:
    """A Tick so many seconds after the start."""
    return tick(START + int(second * SECOND), bid, ask, **more)


def run(joiner: Joiner, events: Iterable[Event]) -> list[Outcome]:
    """The outcomes of these events."""
    return [m.outcome for event in events for m in joiner.update(event)]


def one(events: Iterable[Event], prediction: Prediction) -> Outcome:
    """The outcome of one prediction that was there before the ticks."""
    joiner = Joiner()
    joiner.add(prediction)
    (outcome,) = run(joiner, events)
    return outcome


def minute(first: int = 0, last: int = 61) -> list[Event]:
    """A quiet Tick in each of these seconds."""
    return [at(second + 0.5) for second in range(first, last + 1)]


def test_matures_at_first_event_of_second_61() -> None:
    """The horizon is the 60 seconds after the row's own; an event of second 61 completes it."""
    #  s      s+1 ................ s+60   s+61
    #  |row   |r r r r r r r r r r r r|   |matures
    events = minute()
    outcome = one(events, predicted(at(0.5)))
    assert (outcome.matured_us, outcome.label) == (events[61].time_us, False)
    assert outcome.realized_volatility == 0.0


def test_nothing_matures_before_second_61() -> None:
    """A prediction waits as long as the last second of its horizon may still change."""
    joiner = Joiner()
    joiner.add(predicted(at(0.5)))
    assert run(joiner, minute(0, 60)) == []
    assert joiner.pending == 1


def test_spike_when_volatility_reaches_tau() -> None:
    """The label is true from τ on."""
    events: list[Event] = [*minute(0, 29), *[at(s + 0.5, 99.5, 101.5) for s in range(30, 62)]]
    outcome = one(events, predicted(at(0.5)))
    assert outcome.label is True
    assert outcome.realized_volatility is not None
    exactly = one(events, predicted(at(0.5), tau=outcome.realized_volatility))
    assert exactly.label is True


def test_break_inside_horizon_leaves_no_label() -> None:
    """No return may cross a Break."""
    #  s       s+20 | Break | s+21         s+61
    events = [*minute(0, 20), break_at(START + 20 * SECOND + 900_000), *minute(21, 61)]
    outcome = one(events, predicted(at(0.5)))
    assert (outcome.label, outcome.reason) == (None, "break")


def test_break_after_row_in_its_own_second_leaves_no_label() -> None:
    """The return from the row to the next second would cross the Break."""
    events = [at(0.5), break_at(START + 700_000), *minute(1, 61)]
    assert one(events, predicted(at(0.5))).reason == "break"


def test_missing_second_leaves_no_label() -> None:
    """A second without Tick or Beat is not known."""
    events = [*minute(0, 20), *minute(22, 61)]
    outcome = one(events, predicted(at(0.5)))
    assert (outcome.label, outcome.reason) == (None, "coverage")


def test_beat_fills_a_quiet_second() -> None:
    """While the feed is alive the standing quote counts."""
    events: list[Event] = [*minute(0, 20), beat(S0 + 21), *minute(22, 61)]
    assert one(events, predicted(at(0.5))).label is False


def test_product_without_tau_keeps_its_volatility() -> None:
    """Without τ there is no label, but what happened is told."""
    outcome = one(minute(), predicted(at(0.5), tau=None, spike=None, threshold=None))
    assert (outcome.label, outcome.reason) == (None, "no_tau")
    assert outcome.realized_volatility == 0.0


def test_another_feed_leaves_horizon_unfinished() -> None:
    """What another feed sends is not the future of this one."""
    #  feed f: s ... s+30 | feed g: s+31 ... s+70
    other: list[Event] = [at(second, feed="g") for second in range(31, 70)]
    outcome = one([*minute(0, 30), *other], predicted(at(0.5)))
    assert (outcome.reason, outcome.matured_us) == ("unfinished", START + 30_500_000)


def test_only_last_row_of_second_is_marked() -> None:
    """Metrics count one row per product and second: its last."""
    events = [at(0.1), at(0.2), at(0.9), *minute(1, 61)]
    joiner = Joiner()
    for event in events[:3]:
        assert isinstance(event, Tick)
        joiner.add(predicted(event))
    assert [o.last_of_second for o in run(joiner, events)] == [False, False, True]


def test_last_row_is_that_of_the_ticks_not_of_the_predictions() -> None:
    """Where the last row was never scored, its second has no row for metrics."""
    outcome = one([at(0.1), at(0.9), *minute(1, 61)], predicted(at(0.1)))
    assert outcome.last_of_second is False


def test_repeated_prediction_is_counted_and_changes_nothing() -> None:
    """The same id before or after maturity gives no second outcome."""
    joiner = Joiner()
    prediction = predicted(at(0.5))
    joiner.add(prediction)
    assert joiner.add(prediction).repeated
    assert len(run(joiner, minute())) == 1
    assert joiner.add(prediction).repeated
    assert (joiner.repeated, joiner.pending) == (2, 0)


def test_two_models_of_one_row_both_get_outcomes() -> None:
    """A change of model scores a row again, under another id."""
    joiner = Joiner()
    joiner.add(predicted(at(0.5)))
    joiner.add(predicted(at(0.5), digest="e" * 64))
    assert len({o.prediction_id for o in run(joiner, minute())}) == 2


def test_memory_is_bounded_by_event_time() -> None:
    """Rows older than the history are forgotten; their predictions count as early."""
    joiner = Joiner(history=120)
    run(joiner, minute(0, 400))
    late = predicted(at(0.5))
    assert joiner.add(late).matured is None
    assert joiner.early() == [late]


def test_reset_keeps_what_waits() -> None:
    """Ticks that are read again after a reset settle what waited."""
    joiner = Joiner()
    joiner.add(predicted(at(0.5)))
    run(joiner, minute(0, 30))
    joiner.reset(["BTC-USD"])
    assert joiner.pending == 1
    assert len(run(joiner, minute())) == 1
    assert joiner.pending == 0


def test_ticks_that_are_gone_leave_no_label() -> None:
    """A prediction whose ticks retention has deleted is settled as not covered."""
    joiner = Joiner()
    prediction = predicted(at(0.5))
    joiner.add(prediction)
    outcome = joiner.give_up(prediction).outcome
    assert (outcome.reason, outcome.matured_us) == ("coverage", (S0 + 61) * SECOND)
    assert joiner.pending == 0


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Two products, two feeds over the same event time, with all that can go wrong."""
    return market(seed=5, steps=2_400)


@pytest.fixture(scope="module")
def predictions(events: list[Event]) -> list[Prediction]:
    """What was predicted from them."""
    return predictions_of(events)


def bits(outcomes: Iterable[Outcome]) -> dict[str, bytes]:
    """Outcomes by id, to the bit; no id twice."""
    found = [(o.prediction_id, encode(o)) for o in outcomes]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.fixture(scope="module")
def expected(events: list[Event], predictions: list[Prediction]) -> dict[str, bytes]:
    """The outcomes when all predictions come first."""
    joiner = Joiner(history=10_000)
    for prediction in predictions:
        joiner.add(prediction)
    return bits(run(joiner, events))


def test_generated_run_has_all_kinds_of_outcome(expected: dict[str, bytes]) -> None:
    """The laws below are tried on every kind of outcome."""
    assert {result_of(decode(o)) for o in expected.values()} == set(RESULTS)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
@pytest.mark.exhaustive
def test_outcome_does_not_depend_on_interleaving(
    events: list[Event],
    predictions: list[Prediction],
    expected: dict[str, bytes],
    seed: int,
) -> None:
    """Two topics read in any order against each other give the same outcomes to the bit."""
    chance = random.Random(seed)
    joiner = Joiner(history=10_000)
    told: list[Matured] = []
    left: list[list[Event] | list[Prediction]] = [events[::-1], predictions[::-1]]
    while left := [topic for topic in left if topic]:
        topic = chance.choice(left)
        for _ in range(min(len(topic), chance.choice((1, 5, 60, 600)))):
            item = topic.pop()
            if isinstance(item, Prediction):
                matured = joiner.add(item).matured
                told += [matured] if matured else []
            else:
                told += joiner.update(item)
    assert bits(m.outcome for m in told) == expected


def test_live_labels_equal_training_labels(
    events: list[Event], predictions: list[Prediction], expected: dict[str, bytes]
) -> None:
    """What training's log says at the maturing event is what the monitor publishes."""
    logs: dict[str, MidLog] = {}
    waiting: dict[str, list[Prediction]] = {}
    by_row = {p.row_id: p for p in predictions}
    checked = 0
    for event in events:
        log = logs.setdefault(event.product_id, MidLog())
        if log.feed != event.feed:
            waiting[event.product_id] = []
        log.update(event)
        queue = waiting[event.product_id]
        while queue and (label := log.label(queue[0].time_us, queue[0].mid)) is not None:
            prediction = queue.pop(0)
            outcome = decode(expected[prediction.prediction_id])
            assert outcome.realized_volatility == label.volatility
            assert outcome.matured_us == label.matured_us
            unknown = "no_tau" if prediction.tau is None else None
            assert outcome.reason == (label.reason or unknown)
            assert outcome.label is None or outcome.label == ((label.volatility or 0.0) >= TAU)
            checked += 1
        if isinstance(event, Tick):
            row_id = f"{event.feed}:{event.product_id}:{event.time_us}:{event.trade_id or 0}"
            found = by_row.pop(row_id, None)
            queue += [found] if found else []
    assert checked > 200

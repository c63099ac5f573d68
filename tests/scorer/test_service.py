"""The loop of the scorer, with Kafka and models in memory."""

import json

import pytest

from ingestor.dead_letter import decode as decode_letter
from scorer.prediction import decode
from serving.v2 import BadResponse, WrongFeatures

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def published(bench):
    """What stands in predictions."""
    return [decode(record.value) for record in bench.sent if record.topic == "predictions"]


def test_publish_flush_then_commit(bench, make_row):
    """Nothing is committed before the broker has acknowledged it."""
    scorer = bench()
    scorer.rows(make_row(1), make_row(2))
    scorer.worker.turn()
    assert scorer.journal == ["send", "send", "flush", "commit"]
    assert [each.row_id for each in published(scorer)] == [make_row(1).row_id, make_row(2).row_id]
    assert scorer.ready() == {"kafka": True, "state": True, "running": True, "model": True}


def test_a_prediction_carries_trace_key_and_times(bench, make_row):
    """The trace goes on in a span of our own; received and featurized come from the headers."""
    scorer = bench()
    scorer.rows(make_row(1), traceparent=TRACE, received_us="1000000", featurized_us="2000000")
    scorer.worker.turn()
    [record] = scorer.sent
    assert record.key == "BTC-USD"
    parent = record.headers["traceparent"]
    assert parent.split("-")[1] == TRACE.split("-")[1]
    assert parent != TRACE
    [found] = published(scorer)
    assert (found.received_us, found.featurized_us, found.scored_us) == (
        10**6,
        2 * 10**6,
        3 * 10**6,
    )
    assert scorer.sample("scorer_stage_duration_seconds_sum", stage="received_to_scored") == 2
    assert scorer.sample("scorer_stage_duration_seconds_sum", stage="featurized_to_scored") == 1


def test_served_and_shadow_are_asked_at_once(bench, make_row):
    """One request each for the whole batch, side by side."""
    scorer = bench()
    scorer.rows(*map(make_row, range(10)))
    scorer.worker.turn()
    assert sorted(scorer.model.asked) == [("baseline", 10), ("ml", 10)]
    assert scorer.model.most_at_once == 2
    assert {each.shadows[0].model_variant for each in published(scorer)} == {"baseline"}


def test_a_large_poll_is_asked_in_parts(bench, make_row):
    """No request has more rows than allowed, and no row is left out or turned round."""
    scorer = bench(max_rows=100, shadows=())
    scorer.rows(*map(make_row, range(250)))
    scorer.worker.turn()
    assert scorer.model.asked == [("ml", 100), ("ml", 100), ("ml", 50)]
    assert [each.time_us for each in published(scorer)] == list(range(250))
    assert scorer.journal[-2:] == ["flush", "commit"]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_score_does_not_depend_on_its_batch(bench, make_row, size):
    """However the rows are cut into batches, ids and scores are the same bits."""
    rows = [make_row(number) for number in range(200)]
    whole, parts = bench(), bench()
    whole.rows(*rows)
    whole.worker.turn()
    for start in range(0, len(rows), size):
        parts.rows(*rows[start : start + size])
        parts.worker.turn()

    def bits(scorer):
        return [
            (each.prediction_id, each.score.hex(), each.shadows[0].score.hex())
            for each in published(scorer)
        ]

    assert bits(whole) == bits(parts)


def test_a_batch_is_held_while_the_model_is_away(bench, make_row, away):
    """Not ready, nothing committed, tried again with growing delays; then it goes on."""
    scorer = bench(retry_first_seconds=0.1, retry_longest_seconds=0.5)
    scorer.rows(make_row(1))
    scorer.model.failing["ml"] = away
    seen = []

    def during_wait(count):
        seen.append((scorer.ready()["model"], scorer.consumer.committed))
        if count == 5:
            scorer.model.failing.clear()

    scorer.stop.during_wait = during_wait
    scorer.worker.turn()
    assert scorer.stop.waits == [0.1, 0.2, 0.4, 0.5, 0.5]
    assert set(seen) == {(False, 0)}
    assert scorer.beats > 5
    assert len(published(scorer)) == scorer.consumer.committed == 1
    assert scorer.ready()["model"] is True
    assert scorer.sample("scorer_model_errors_total", variant="ml", kind="away") == 5
    assert scorer.sample("scorer_held_rows") == 0


def test_a_held_batch_goes_to_the_variant_that_serves_by_then(bench, make_row, away):
    """The operator switches while the model is away: the same rows, scored by the other one."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.model.failing["ml"] = away
    scorer.stop.during_wait = lambda _: setattr(scorer.serving, "variant", "baseline")
    scorer.worker.turn()
    [found] = published(scorer)
    assert (found.model_variant, found.shadows) == ("baseline", [])


def test_the_end_while_holding_commits_nothing(bench, make_row, away):
    """SIGTERM while the model is away: the rows are read again by the next start."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.model.failing["ml"] = away
    scorer.stop.during_wait = lambda _: scorer.stop.request()
    scorer.worker.run()
    assert (scorer.sent, scorer.consumer.committed) == ([], 0)
    assert scorer.ready()["running"] is False


def test_a_missing_shadow_does_not_stop_the_one_that_serves(bench, make_row, away):
    """The prediction goes out without it, and that is counted by row."""
    scorer = bench()
    scorer.rows(make_row(1), make_row(2))
    scorer.model.failing["baseline"] = away
    scorer.worker.turn()
    assert [each.shadows for each in published(scorer)] == [[], []]
    assert scorer.sample("scorer_shadows_missing_total", variant="baseline") == 2
    assert scorer.consumer.committed == 2


@pytest.mark.parametrize("error", [WrongFeatures("other digest"), BadResponse("strange")])
def test_a_model_that_does_not_fit_gives_no_score(bench, make_row, error):
    """Other feature definitions: held with a clear error until a right model serves."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.model.failing["ml"] = error
    scorer.stop.during_wait = lambda count: count < 3 or scorer.model.failing.clear()
    scorer.worker.turn()
    assert len(published(scorer)) == 1
    assert scorer.sample("scorer_model_errors_total", variant="ml", kind="bad_response") >= 3
    assert scorer.sample("scorer_dead_letters_total") == 0


def test_a_switch_holds_from_the_next_batch_on(bench, make_row):
    """The variant that serves changes between two polls, without a restart."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.rows(make_row(2))
    scorer.worker.turn()
    scorer.serving.variant = "baseline"
    scorer.worker.turn()
    first, second = published(scorer)
    assert (first.model_variant, first.shadows[0].model_variant) == ("ml", "baseline")
    assert (second.model_variant, second.shadows[0].model_variant) == ("baseline", "ml")
    assert scorer.sample("scorer_serving_variant", variant="baseline") == 1


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"{}", b'{"row_id": 1}'])
def test_what_cannot_be_read_goes_to_the_dead_letters(bench, make_row, value):
    """With the reason and where it stood; the rows around it are scored."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.consumer.batches[0].append(
        scorer.consumer.batches[0][0].__class__("features", 3, 17, 1, "BTC-USD", value, {})
    )
    scorer.worker.turn()
    [dead] = [each for each in scorer.sent if each.topic == "dead-letters"]
    letter = decode_letter(dead.value)
    assert letter.source == "scorer"
    assert letter.reason.startswith("features[3]@17: ")
    assert letter.raw_bytes == len(value)
    assert len(published(scorer)) == 1
    assert scorer.consumer.committed == 2
    assert scorer.sample("scorer_dead_letters_total") == 1


def test_a_row_of_other_features_goes_to_the_dead_letters(bench, make_row):
    """A row of other definitions is never scored by guessing."""
    scorer = bench()
    scorer.rows(make_row(features={"price": 1.0}))
    scorer.worker.turn()
    [dead] = scorer.sent
    assert "unknown ['price']" in json.loads(dead.value)["reason"]
    assert scorer.model.asked == []


def test_what_the_broker_did_not_take_is_sent_again(bench, make_row):
    """By a new producer and with equal ids; committed once, after that."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.refuse(2)
    scorer.worker.turn()
    assert scorer.journal == ["send", "send", "send", "flush", "commit"]
    assert len({each.prediction_id for each in published(scorer)}) == 1
    assert [each.closed for each in scorer.producers] == [True, True, False]
    assert scorer.sample("scorer_undelivered_batches_total") == 2


def test_a_broker_that_never_takes_it_makes_it_begin_anew(bench, make_row):
    """Nothing is committed, and the rows are read again by a consumer of its own."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.refuse(99)
    scorer.stop.during_wait = lambda _: "close" in scorer.journal and scorer.stop.request()
    scorer.worker.run()
    assert scorer.consumer.committed == 0
    assert scorer.journal[-1] == "close"
    assert scorer.sample("scorer_broker_failures_total") == 1


def test_a_broker_that_comes_late_is_waited_for(bench, make_row):
    """Each failure is counted and waited for, with no end of the process; then rows are scored."""
    scorer = bench()
    scorer.away = 3
    scorer.rows(make_row(1))
    committed, partitions = scorer.consumer.commit, []

    def commit() -> bool:
        partitions.append(scorer.sample("scorer_partitions"))
        scorer.stop.request()
        return committed()

    scorer.consumer.commit = commit
    scorer.worker.run()
    assert (scorer.joins, len(scorer.stop.waits), scorer.consumer.committed) == (4, 3, 1)
    assert scorer.sample("scorer_broker_failures_total") == 3
    assert partitions == [4]
    assert scorer.sample("scorer_partitions") == 0


def test_a_commit_that_fails_does_not_end_the_scorer(bench, make_row):
    """The predictions are out; the next commit covers them."""
    scorer = bench()
    scorer.rows(make_row(1))
    scorer.rows(make_row(2))
    scorer.consumer.failing = True
    scorer.worker.turn()
    scorer.consumer.failing = False
    scorer.worker.turn()
    assert scorer.consumer.committed == 2
    assert scorer.sample("scorer_commit_failures_total") == 1


def test_idle_it_becomes_ready_when_the_model_answers(bench, away):
    """Without rows the model is asked at each turn until it answers, then every five seconds."""
    scorer = bench()
    scorer.model.failing["ml"] = away
    assert scorer.ready() == {"kafka": False, "state": False, "running": True, "model": False}
    scorer.worker.turn()
    assert scorer.ready()["model"] is False
    scorer.model.failing.clear()
    scorer.worker.turn()
    assert scorer.ready()["model"] is True
    asked = len(scorer.model.asked)
    scorer.worker.turn()
    assert len(scorer.model.asked) == asked
    scorer.now += 5
    scorer.model.failing["ml"] = away
    scorer.worker.turn()
    assert scorer.ready()["model"] is False


def test_spikes_flags_and_predictions_are_counted(bench, make_row):
    """By variant and product; a product that nobody trained on makes no label."""
    scorer = bench()
    scorer.rows(
        make_row(500),
        make_row(1),
        make_row(2, product_id="SOL-USD"),
        make_row(3, dialect="exchange"),
    )
    scorer.worker.turn()
    assert scorer.sample("scorer_predictions_total", variant="ml", product="BTC-USD") == 3
    assert scorer.sample("scorer_predictions_total", variant="ml", product="untrained") == 1
    assert scorer.sample("scorer_spikes_total", variant="ml", product="BTC-USD") == 1
    assert scorer.sample("scorer_untrained_product_total") == 1
    assert scorer.sample("scorer_foreign_dialect_total", variant="ml") == 1
    assert scorer.sample("scorer_spikes_total", variant="ml", product="SOL-USD") == 0


def test_a_spike_that_is_scored_too_late_raises_no_alarm(bench, make_row):
    """It is published and said to be late; what the alarm stands on does not count it."""
    scorer = bench()
    scorer.now_us = 6_000_000
    scorer.rows(make_row(500), received_us="1")
    scorer.worker.turn()
    [found] = [decode(record.value) for record in scorer.sent]
    assert (found.spike, found.notes) == (True, ["late"])
    assert scorer.sample("scorer_spikes_total", variant="ml", product="BTC-USD") == 0

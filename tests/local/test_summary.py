"""The summary, on records made here."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from featurizer import row as feature_row
from featurizer.features import FEATURES_DIGEST, NAMES
from featurizer.row import FeatureRow
from ingestor import tick
from ingestor.tick import Beat, Break, Tick
from local.summary import Tally, count_errors, percentiles, summarize, trained_on
from monitor import outcome
from monitor.outcome import Outcome, Unlabelled
from scorer import prediction
from scorer.prediction import Prediction

SECOND = 1_000_000
RECEIVED_US = 1_700_000_000 * SECOND


def _row_id(n: int) -> str:
    return f"feed:BTC-USD:{n}:0"


def _tick(n: int) -> bytes:
    return tick.encode(
        Tick(
            feed="feed",
            product_id="BTC-USD",
            dialect="advanced",
            time_us=n,
            received_us=RECEIVED_US,
            price=10.0,
            bid=9.0,
            ask=11.0,
        )
    )


def _row(n: int) -> bytes:
    return feature_row.encode(
        FeatureRow(
            row_id=_row_id(n),
            feed="feed",
            product_id="BTC-USD",
            time_us=n,
            trade_id=0,
            dialect="advanced",
            mid=10.0,
            features=dict.fromkeys(NAMES, None),
            coverage=1.0,
        )
    )


def _prediction(n: int, score: float = 0.5) -> bytes:
    return prediction.encode(
        Prediction(
            prediction_id=prediction.prediction_id(_row_id(n), "digest"),
            row_id=_row_id(n),
            feed="feed",
            product_id="BTC-USD",
            time_us=n,
            trade_id=0,
            dialect="advanced",
            mid=10.0,
            coverage=1.0,
            realized_volatility_60s=None,
            score=score,
            spike=score >= 0.5,
            threshold=0.5,
            tau=0.001,
            model_variant="ml",
            version="0123",
            digest="digest",
            features_digest=FEATURES_DIGEST,
            shadows=[],
            flags=["foreign_dialect"],
            received_us=RECEIVED_US,
            featurized_us=RECEIVED_US + 2_000,
            scored_us=RECEIVED_US + 7_000,
        )
    )


def _outcome(n: int, label: bool | None, reason: Unlabelled | None = None) -> bytes:
    return outcome.encode(
        Outcome(
            prediction_id=prediction.prediction_id(_row_id(n), "digest"),
            row_id=_row_id(n),
            feed="feed",
            product_id="BTC-USD",
            time_us=n,
            label=label,
            realized_volatility=None if label is None else 0.002,
            matured_us=n,
            reason=reason,
            tau=0.001,
            coverage=1.0,
            last_of_second=True,
            model_variant="ml",
            score=0.5,
            spike=True,
        )
    )


def _run(count: int) -> Tally:
    tally = Tally()
    appended_ms = RECEIVED_US // 1_000 + 9
    for n in range(count):
        tally.take("ticks", _tick(n), appended_ms)
        tally.take("features", _row(n), appended_ms)
        tally.take("predictions", _prediction(n), appended_ms)
    return tally


def _summary(tally: Tally, missing: tuple[str, ...] = ()) -> dict[str, Any]:
    return summarize(tally, missing, {"speed": 1.0})


def test_a_whole_run_is_ok() -> None:
    """Every row predicted, nobody missing, no dead letter: ok, and it is JSON."""
    summary = _summary(_run(3))
    assert summary["ok"] is True and summary["problems"] == []
    assert (summary["ticks"], summary["features"], summary["predictions"]) == (3, 3, 3)
    assert summary["variants"] == {"ml 0123": 3} and summary["speed"] == 1.0
    assert summary["score"] == {"min": 0.5, "max": 0.5, "last": {"BTC-USD": 0.5}}
    assert json.loads(json.dumps(summary)) == summary


def test_beats_and_breaks_are_counted_apart() -> None:
    """The three kinds of ``ticks`` have counts of their own."""
    tally = _run(1)
    common: Any = {
        "feed": "feed",
        "product_id": "BTC-USD",
        "dialect": "advanced",
        "time_us": 1,
        "received_us": 1,
    }
    tally.take("ticks", tick.encode(Beat(**common, bid=9.0, ask=11.0)), 0)
    tally.take("ticks", tick.encode(Break(**common, reason="start")), 0)
    summary = _summary(tally)
    assert (summary["ticks"], summary["beats"], summary["breaks"]) == (1, 1, 1)


def test_latencies_are_by_stage() -> None:
    """2 ms to the row, 5 ms to the score, 2 ms to the topic: 9 ms in all."""
    latency = _summary(_run(4))["latency_ms"]
    assert {stage: found["p95"] for stage, found in latency.items()} == {
        "received_to_published": 9.0,
        "received_to_featurized": 2.0,
        "featurized_to_scored": 5.0,
        "scored_to_published": 2.0,
        "tick_to_prediction": 9.0,
    }


def test_a_past_that_was_caught_up_has_no_latencies() -> None:
    """Ticks and predictions count; how long they stood in line says nothing of a live one."""
    tally, feed = Tally(), "market-wandering-7@x"
    behind_us = RECEIVED_US - 3_000 * SECOND
    event = replace(tick.decode(_tick(0)), feed=feed, time_us=behind_us)
    made = replace(prediction.decode(_prediction(0)), feed=feed, time_us=behind_us)
    tally.take("ticks", tick.encode(event), RECEIVED_US // 1_000 + 900)
    tally.take("predictions", prediction.encode(made), RECEIVED_US // 1_000 + 900)
    assert (tally.kinds["Tick"], len(tally.predicted)) == (1, 1)
    assert not any(tally.latencies.values())
    again = replace(made, row_id=_row_id(1), time_us=RECEIVED_US - SECOND)
    tally.take("predictions", prediction.encode(again), RECEIVED_US // 1_000 + 900)
    assert len(tally.latencies["tick_to_prediction"]) == 1


def test_outcomes_are_by_label_and_reason() -> None:
    """Predictions without an outcome are unfinished, beside those that say so."""
    tally = _run(5)
    tally.take("outcomes", _outcome(0, True), 0)
    tally.take("outcomes", _outcome(1, False), 0)
    tally.take("outcomes", _outcome(2, None, "break"), 0)
    tally.take("outcomes", _outcome(3, None, "unfinished"), 0)
    assert _summary(tally)["outcomes"] == {"spike": 1, "calm": 1, "unfinished": 2, "break": 1}


def test_outcomes_of_an_earlier_run_are_left_out() -> None:
    """On standing topics a row of another run may be settled now; it is not this run's."""
    tally = _run(1)
    tally.take("outcomes", _outcome(7, True), 0)
    assert _summary(tally)["outcomes"] == {"spike": 0, "calm": 0, "unfinished": 1}


def test_repeats_are_counted_and_harmless() -> None:
    """At least once: a second copy is no second prediction, and the run stays ok."""
    tally = _run(2)
    for topic, value in (("features", _row(0)), ("predictions", _prediction(0))):
        tally.take(topic, value, RECEIVED_US)
    summary = _summary(tally)
    assert summary["predictions"] == 2 and summary["ok"] is True
    assert summary["repeated"] == {"features": 1, "predictions": 1, "outcomes": 0}


@pytest.mark.parametrize(
    ("topic", "value", "problem"),
    [
        ("features", _row(9), "1 feature rows without a prediction"),
        ("predictions", _prediction(9), "1 predictions without a feature row"),
        ("dead-letters", b"{}", "1 dead letters"),
        ("ticks", b"not json", "1 unreadable records"),
    ],
)
def test_what_is_wrong_is_named(topic: str, value: bytes, problem: str) -> None:
    """One thing too much or too little makes the run not ok."""
    tally = _run(1)
    tally.take(topic, value, 0)
    summary = _summary(tally)
    assert summary["ok"] is False and summary["problems"] == [problem]


def test_a_missing_child_and_an_empty_run_are_not_ok() -> None:
    """Both are named; figures of nothing are null."""
    summary = _summary(Tally(), ("scorer",))
    assert summary["problems"] == ["scorer is not running", "no predictions"]
    assert summary["score"] is None
    assert set(summary["latency_ms"].values()) == {None}


def test_percentiles_are_values_that_occurred() -> None:
    """Nearest rank: of 1…100 the 95th is 95."""
    assert percentiles([float(n) for n in range(100, 0, -1)]) == {
        "p50": 50.0,
        "p95": 95.0,
        "p99": 99.0,
    }


def test_errors_are_counted_in_logs() -> None:
    """Lines of level error or worse and bare tracebacks count; the rest does not."""
    lines = [
        '{"event":"a","level":"info"}',
        '{"event":"b","level":"error"}',
        '{"event":"c","level":"CRITICAL"}',
        "Traceback (most recent call last):",
        "ValueError: said by the traceback above",
        '{"cut',
    ]
    assert count_errors(lines) == 3


def test_training_data_is_recognised_by_digest() -> None:
    """A recording is in the training data if any card names its SHA-256; none gives null."""
    cards = [{"trained_recordings": ["aa"]}, {"data": [{"sha256": "bb"}]}]
    assert [trained_on(s, cards) for s in ("aa", "bb", "cc", None)] == [True, True, False, None]

"""The command on a broker: a prediction found, made again, and what was changed named."""

import argparse
import io
import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from ingestor.topics import (
    TICKS,
    TOPICS,
)
from monitor.explain.service import explain, explained
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from scorer.prediction import Prediction
from scorer.prediction import encode as encode_prediction
from tests.monitor.explain.world import (
    LABELLED,
    MADE,
    MODEL,
    OTHER,
    SENT,
    Sent,
    logged,
    lookup,
)


def test_every_part_is_found_and_equal() -> None:
    """With a label, without, and one that has not matured."""
    found = lookup(logged())
    labelled = [p for p in MADE if p.prediction_id in LABELLED]
    for prediction in [*labelled[::150], MADE[0], MADE[-1]]:
        met = found.by_id(prediction.prediction_id)
        assert met is not None and met[1] == prediction
        told = explain(found, *met, [MODEL, OTHER], 5)
        assert told.differing == [] and told.row is not None
        assert all(check.equal for part in ("row", "model") for check in told.checks[part])
        unsaid = prediction.score is None
        assert [c.equal for c in told.checks["shadows"]] == ([None] if unsaid else [True] * 5)
    assert told.checks["outcome"][0].why == "not matured yet"
    assert len(told.ticks) == 6


def test_the_shadow_of_a_folder_that_was_not_named_is_unknown() -> None:
    """As the model's own score is."""
    found = lookup(logged())
    met = found.by_id(next(p.prediction_id for p in MADE if p.shadows))
    assert met is not None
    told = explain(found, *met, [MODEL], 5)
    (check,) = told.checks["shadows"]
    assert (check.name, check.equal) == ("ml's score", None) and f"{MODEL} has" in check.why


def test_expired_ticks_are_unknown() -> None:
    """The tick itself is gone: nothing is said to differ."""
    log = logged()
    for partition, kept in log.records.items():
        if partition.topic == TICKS.name:
            log.trim(partition, max(0, len(kept) - 1))
    found = lookup(log)
    met = found.by_id(MADE[10].prediction_id)
    assert met is not None
    told = explain(found, *met, [], 5)
    assert told.differing == [] and told.checks["row"][0].equal is None
    assert "not in ticks any more" in told.checks["row"][0].why


def asked(**more: Any) -> argparse.Namespace:
    """The command line."""
    usual = {"prediction_id": None, "product": None, "at": None, "model": [MODEL, OTHER]}
    return argparse.Namespace(**{**usual, "ticks": 5, "seeds": None, "json": True, **more})


def run(kafka: KafkaSettings, **more: Any) -> tuple[int, Any]:
    """The exit code and what was printed."""
    out, err = io.StringIO(), io.StringIO()
    code = explained(asked(**more), kafka, out, err)
    return code, json.loads(out.getvalue()) if out.getvalue() else err.getvalue()


def changed(prediction: Prediction) -> Iterator[Sent]:
    """The records with another score and another shadow's score in one prediction."""
    shadows = [replace(shadow, score=shadow.score / 2) for shadow in prediction.shadows]
    fields = {"spike": None, "threshold": None, "shadows": shadows}
    forged = replace(prediction, score=prediction.score / 2, **fields)
    for topic, key, value in SENT:
        mine = value == encode_prediction(prediction)
        yield topic, key, encode_prediction(forged) if mine else value


def test_the_command_end_to_end(kafka_settings: KafkaSettings) -> None:
    """By id and by time, equal; a changed score; what is not there."""
    ensure_topics(kafka_settings, TOPICS)
    producer = Producer(kafka_settings, linger_ms=20)
    labelled = [p for p in MADE if p.prediction_id in LABELLED]
    sound, forged = labelled[40], labelled[-1]
    for topic, key, value in changed(forged):
        producer.send(topic, key, value, {})
    producer.flush()
    producer.close()
    code, told = run(kafka_settings, prediction_id=sound.prediction_id)
    assert (code, told["differing"]) == (0, [])
    parts = ("outcome", "state", "shadows")
    assert all(check["equal"] for part in parts for check in told["checks"][part])
    assert told["state"]["mode"] == told["checks"]["state"][0]["stored"]
    code, told = run(kafka_settings, product=sound.product_id, at=str(sound.time_us))
    assert (code, told["prediction"]["time_us"]) == (0, sound.time_us)
    code, told = run(kafka_settings, prediction_id=forged.prediction_id)
    assert code == 1 and {"model: score", "shadows: ml's score"} <= {*told["differing"]}
    assert any(name.startswith("state: next record") for name in told["differing"])
    code, error = run(kafka_settings, prediction_id="0" * 32)
    assert code == 2 and "found no prediction" in error

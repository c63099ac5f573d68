"""The command on a broker: a prediction found, made again, and what was changed named."""

import argparse
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.records import Closed, Minute
from featurizer.level.records import encode as encode_closed
from featurizer.level.seeds import default_seeds
from featurizer.row import encode as encode_row
from ingestor.tick import encode as encode_event
from ingestor.topics import FEATURES, LEVELS, MINUTES, OUTCOMES, PREDICTIONS, TICKS, TOPICS
from monitor.explain.lookup import Lookup
from monitor.explain.service import explain, explained
from monitor.join import Joiner
from monitor.outcome import encode as encode_outcome
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from scorer.prediction import Prediction
from scorer.prediction import encode as encode_prediction
from scorer.variants import Arrived, predictions_of, values_of
from serving.artifact import load_folder
from serving.predictor import open_predictor, outputs_of
from serving.tensor import OUTPUT, SEVERE
from serving.v2 import Scored
from tests.featurizer.market import SECOND, START, market
from tests.monitor.world import Log, LogReader

MODEL = str(Path(__file__).resolve().parents[3] / "model-settings" / "baseline")
EVENTS = market(seed=8, steps=1_500, feeds=("first",))
Sent = tuple[str, str, bytes]


def world() -> tuple[list[Sent], list[Prediction], set[str]]:
    """All records of the pipeline in order, its predictions, and the ids with a label."""
    artifact = load_folder(Path(MODEL))
    model, joiner, closed = open_predictor(artifact), Joiner(), list[Closed]()
    engine = FeatureEngine(Levels(default_seeds()), closed.append)
    sent, made, labelled = list[Sent](), list[Prediction](), set[str]()
    for event in EVENTS:
        name = event.product_id
        sent.append((TICKS.name, name, encode_event(event)))
        row = engine.update(event)
        for one in closed:
            topic = MINUTES.name if isinstance(one, Minute) else LEVELS.name
            sent.append((topic, name, encode_closed(one)))
        closed.clear()
        for matured in joiner.update(event):
            labelled |= (
                {matured.outcome.prediction_id} if matured.outcome.label is not None else set()
            )
            sent.append((OUTCOMES.name, name, encode_outcome(matured.outcome)))
        if row is not None:
            sent.append((FEATURES.name, name, encode_row(row)))
            arrived = Arrived(row, event.received_us, event.received_us + 1)
            said = outputs_of(model, [values_of(row)])
            scored = Scored(said[OUTPUT], artifact.info, said.get(SEVERE))
            made += predictions_of([arrived], scored, [], event.received_us + 2)
            joiner.add(made[-1])
            sent.append((PREDICTIONS.name, name, encode_prediction(made[-1])))
    return sent, made, labelled


SENT, MADE, LABELLED = world()


def lookup(log: Log) -> Lookup:
    """A lookup in the log, which answers in large batches."""
    return Lookup(LogReader(log, most=5_000), default_seeds())


def logged() -> Log:
    """The topics in memory."""
    log = Log(more=(FEATURES.name, MINUTES.name, LEVELS.name))
    log.pass_time(START // SECOND)
    for topic, key, value in SENT:
        log.append(topic, key, value)
    return log


def test_every_part_is_found_and_equal() -> None:
    """With a label, without, and one that has not matured."""
    found = lookup(logged())
    labelled = [p for p in MADE if p.prediction_id in LABELLED]
    for prediction in [*labelled[::150], MADE[0], MADE[-1]]:
        met = found.by_id(prediction.prediction_id)
        assert met is not None and met[1] == prediction
        told = explain(found, *met, [MODEL], 5)
        assert told.differing == [] and told.row is not None
        assert all(check.equal for part in ("row", "model") for check in told.checks[part])
    assert told.checks["outcome"][0].why == "not matured yet"
    assert len(told.ticks) == 6


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
    usual = {"prediction_id": None, "product": None, "at": None, "model": [MODEL], "ticks": 5}
    return argparse.Namespace(**{**usual, "seeds": None, "json": True, **more})


def run(kafka: KafkaSettings, **more: Any) -> tuple[int, Any]:
    """The exit code and what was printed."""
    out, err = io.StringIO(), io.StringIO()
    code = explained(asked(**more), kafka, out, err)
    return code, json.loads(out.getvalue()) if out.getvalue() else err.getvalue()


def changed(prediction: Prediction) -> Iterator[Sent]:
    """The records with another score in one prediction."""
    forged = replace(prediction, score=prediction.score / 2, spike=None, threshold=None)
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
    assert all(check["equal"] for check in told["checks"]["outcome"])
    code, told = run(kafka_settings, product=sound.product_id, at=str(sound.time_us))
    assert (code, told["prediction"]["time_us"]) == (0, sound.time_us)
    code, told = run(kafka_settings, prediction_id=forged.prediction_id)
    assert code == 1 and "model: score" in told["differing"]
    code, error = run(kafka_settings, prediction_id="0" * 32)
    assert code == 2 and "found no prediction" in error

"""All topics of a small market, as the pipeline would have them, with both models."""

from collections.abc import Callable
from pathlib import Path

from featurizer.engine import FeatureEngine
from featurizer.level.levels import Levels
from featurizer.level.records import Closed, Minute
from featurizer.level.records import encode as encode_closed
from featurizer.level.seeds import default_seeds
from featurizer.row import FeatureRow
from featurizer.row import encode as encode_row
from ingestor.tick import encode as encode_event
from ingestor.topics import (
    FEATURES,
    LEVELS,
    MINUTES,
    OUTCOMES,
    PREDICTIONS,
    SIGNALS,
    TICKS,
)
from monitor.explain.lookup import Lookup
from monitor.join import Joiner
from monitor.outcome import encode as encode_outcome
from monitor.states.machines import Machines
from scorer.prediction import Prediction
from scorer.prediction import encode as encode_prediction
from scorer.variants import Arrived, predictions_of, values_of
from serving.artifact import load_folder
from serving.predictor import open_predictor, outputs_of
from serving.tensor import OUTPUT, SEVERE
from serving.v2 import Scored
from signals.records import encode as encode_signal
from signals.row import Budget
from tests.featurizer.market import SECOND, START, market
from tests.monitor.world import Log, LogReader

FOLDERS = Path(__file__).resolve().parents[3] / "model-settings"
MODEL, OTHER = str(FOLDERS / "baseline"), str(FOLDERS / "ml")
EVENTS = market(seed=8, steps=1_500, feeds=("first",))
Sent = tuple[str, str, bytes]


def scorer(*folders: str) -> Callable[[FeatureRow], list[Scored]]:
    """What asks the models of these folders for one row."""
    loaded = [load_folder(Path(folder)) for folder in folders]
    asked = [(artifact.info, open_predictor(artifact)) for artifact in loaded]

    def scored(row: FeatureRow) -> list[Scored]:
        said = [(info, outputs_of(model, [values_of(row)])) for info, model in asked]
        return [Scored(one[OUTPUT], info, one.get(SEVERE)) for info, one in said]

    return scored


def world() -> tuple[list[Sent], list[Prediction], set[str]]:
    """All records of the pipeline in order, its predictions, and the ids with a label."""
    scored, joiner, closed = scorer(MODEL, OTHER), Joiner(), list[Closed]()
    machines = Machines(Budget())
    engine = FeatureEngine(Levels(default_seeds()), closed.append)
    sent, made, labelled = list[Sent](), list[Prediction](), set[str]()
    offsets: dict[str, int] = {}  # each product has a partition of its own
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
            served, shadow = scored(row)
            made += predictions_of([arrived], served, [shadow], event.received_us + 2)
            joiner.add(made[-1])
            sent.append((PREDICTIONS.name, name, encode_prediction(made[-1])))
            offsets[name] = offsets.get(name, -1) + 1
            told = machines.take(made[-1], offsets[name])
            sent += [(SIGNALS.name, name, encode_signal(record)) for record in told]
    return sent, made, labelled


SENT, MADE, LABELLED = world()


def lookup(log: Log) -> Lookup:
    """A lookup in the log, which answers in large batches."""
    return Lookup(LogReader(log, most=5_000), default_seeds())


def logged() -> Log:
    """The topics in memory."""
    log = Log(partitions=3, more=(FEATURES.name, MINUTES.name, LEVELS.name))
    log.pass_time(START // SECOND)
    for topic, key, value in SENT:
        log.append(topic, key, value)
    return log

"""``python -m monitor explain``: one prediction, what it rests on, and whether that is so."""

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, TextIO

from featurizer.level.run import Run
from featurizer.level.seeds import SeedError, Seeds, default_seeds, read_seeds
from featurizer.row import FeatureRow
from monitor.explain.checks import Check, of_model, of_outcome, of_prediction, of_row, of_shadow
from monitor.explain.course import of_state
from monitor.explain.explanation import Explanation, Standing, encode, lines
from monitor.explain.lookup import TOPICS, Lookup
from monitor.http.times import parse_us
from plumbing.kafka import BrokerError, KafkaSettings, Reader, Record, TopicError
from scorer.prediction import Prediction
from scorer.variants import Arrived, predictions_of, values_of
from serving.artifact import Artifact, load_folder
from serving.errors import ArtifactError
from serving.predictor import open_predictor, outputs_of
from serving.tensor import OUTPUT, SEVERE
from serving.v2 import Scored

EQUAL: Final = 0
DIFFERENT: Final = 1
NOT_FOUND: Final = 2


def explained(
    arguments: argparse.Namespace, settings: KafkaSettings, out: TextIO, err: TextIO
) -> int:
    """Print the explanation; return 0 where all is equal, 1 where not, 2 for none found."""
    try:
        with closing(Reader(settings, list(TOPICS))) as reader:
            lookup = Lookup(reader, _seeds(arguments.seeds))
            found = _found(lookup, arguments)
            if found is None:
                raise ValueError(f"found no prediction {_asked(arguments)}, expected one in topic")
            explanation = explain(lookup, *found, arguments.model, arguments.ticks)
    except (ValueError, OSError, BrokerError, TopicError, SeedError) as exc:
        print(f"explain: {exc}", file=err)
        return NOT_FOUND
    told = encode(explanation).decode() if arguments.json else "\n".join(lines(explanation))
    print(told, file=out)
    return DIFFERENT if explanation.differing else EQUAL


def explain(
    lookup: Lookup, record: Record, prediction: Prediction, models: Sequence[str], ticks: int
) -> Explanation:
    """Look up and recompute all that belongs to a prediction; ``models`` are folders."""
    row, outcome = lookup.row(record, prediction), lookup.outcome(record, prediction)
    again, course = lookup.recomputed(record, prediction, ticks), lookup.course(record, prediction)
    scored = row or again.row
    return Explanation(
        prediction=prediction,
        row=row,
        ticks=again.events,
        standing=_standing(scored, again.run),
        outcome=outcome,
        state=course.state,
        checks={
            "row": of_row(row, again.row, again.doubt),
            "prediction": of_prediction(prediction, row),
            "model": _model(prediction, scored, models),
            "shadows": _shadows(prediction, scored, models),
            "state": of_state(course, prediction),
            "outcome": of_outcome(outcome, lookup.outcome_again(record, prediction)),
        },
    )


def _found(lookup: Lookup, arguments: argparse.Namespace) -> tuple[Record, Prediction] | None:
    if arguments.prediction_id:
        return lookup.by_id(arguments.prediction_id)
    if not (arguments.product and arguments.at):
        raise ValueError("found neither an id nor --product with --at, expected one of them")
    return lookup.at(arguments.product, parse_us(arguments.at))


def _asked(arguments: argparse.Namespace) -> str:
    return arguments.prediction_id or f"of {arguments.product} at or before {arguments.at}"


def _seeds(path: str | None) -> Seeds:
    return default_seeds() if path is None else read_seeds(Path(path).read_text())


def _standing(row: FeatureRow | None, run: Run | None) -> Standing | None:
    if row is None or run is None:
        return None
    rv60 = row.features.get("realized_volatility_60s")
    share = None if rv60 is None else run.share_below(rv60)
    return Standing(seconds=run.counted, share_below=share)


def _model(prediction: Prediction, row: FeatureRow | None, models: Sequence[str]) -> list[Check]:
    """Compare with the folder of the prediction's digest, if one of ``models`` is that."""
    again, why = _of_digest(prediction.digest, prediction, row, models)
    if again is None:
        return [Check(name="score", stored=prediction.score, why=why)]
    return of_model(prediction, again)


def _shadows(prediction: Prediction, row: FeatureRow | None, models: Sequence[str]) -> list[Check]:
    """Compare each shadow with the folder of its digest, if one of ``models`` is that."""
    checks: list[Check] = []
    for shadow in prediction.shadows:
        again, why = _of_digest(shadow.digest, prediction, row, models)
        name = f"{shadow.model_variant}'s score"
        unknown = [Check(name=name, stored=shadow.score, why=why)]
        checks += unknown if again is None else of_shadow(shadow, again)
    return checks or [Check(name="shadows", why="the prediction has none")]


def _of_digest(
    digest: str, prediction: Prediction, row: FeatureRow | None, models: Sequence[str]
) -> tuple[Prediction | None, str]:
    """Return what the folder of a digest says of a row, or None and why that is not known."""
    if row is None:
        return None, "there is no row"
    met = []
    for folder in models:
        try:
            artifact = load_folder(Path(folder))
            met.append(f"{folder} has {artifact.info.digest}")
            if artifact.info.digest == digest:
                return made_again(prediction, row, artifact), ""
        except (ArtifactError, ImportError) as exc:
            met.append(str(exc))
    return None, "; ".join(met) or "no --model was named"


def made_again(prediction: Prediction, row: FeatureRow, artifact: Artifact) -> Prediction:
    """Return the prediction that a model makes of a row, by the times of a prediction.

    Raises:
        ArtifactError: the model cannot be opened here.
    """
    said = outputs_of(open_predictor(artifact), [values_of(row)])
    scored = Scored(said[OUTPUT], artifact.info, said.get(SEVERE))
    arrived = Arrived(row, prediction.received_us, prediction.featurized_us)
    [again] = predictions_of([arrived], scored, [], prediction.scored_us)
    return again

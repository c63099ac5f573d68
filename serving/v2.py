"""The Open Inference Protocol (V2): paths, requests and answers of our models.

The only place that knows them: who asks a model, who answers, and who documents it import this.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Final

import msgspec

from featurizer.features import FEATURES_DIGEST, NAMES, names_of
from ingestor.tick import Dialect
from serving.card import Alarm, ModelInfo
from serving.tensor import DATATYPE, INPUT, OUTPUT, SEVERE, Row, columns_of, width_for

MODEL_PATH: Final = "/v2/models/{variant}"
INFER_PATH: Final = f"{MODEL_PATH}/infer"


class ModelError(Exception):
    """Any error of a model server; the message says what was found and what was expected.

    ``kind`` is the error's label in metrics.
    """

    kind: ClassVar[str]


class ModelAway(ModelError):
    """The model cannot answer now: not reachable, too slow, not loaded or failing. Try again."""

    kind = "away"


class ModelSlow(ModelAway):
    """No whole answer in time; fewer rows may have one."""


class ModelFailed(ModelAway):
    """The server answered with an error that rows may cause as well as its own state."""


class BadResponse(ModelError):
    """The model answered what cannot be used. Trying again will not help."""

    kind = "bad_response"


class WrongFeatures(BadResponse):
    """The model was trained on other feature definitions than these rows have."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores in [0, 1], in the order of the rows, and the model that gave them.

    ``severe`` are the chances of 2τ, None from a model that is not in units of τ.
    """

    scores: list[float]
    info: ModelInfo
    severe: list[float] | None = None


class _Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[float | None]


class _Request(msgspec.Struct):
    inputs: list[_Input]


class _Parameters(msgspec.Struct):
    model_variant: str
    version: str
    digest: str
    features_digest: str
    dialect: Dialect
    tau: str
    threshold: str
    default_tau: str = "null"
    thresholds: str = "{}"


class _Output(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class _Response(msgspec.Struct):
    outputs: list[_Output]
    parameters: _Parameters


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Response)
_table_decoder = msgspec.json.Decoder(dict[str, float])
_tau_decoder = msgspec.json.Decoder(float | None)
_thresholds_decoder = msgspec.json.Decoder(dict[Alarm, dict[str, float | None]])


def infer_path(variant: str) -> str:
    """Return the path of inference by a model.

    >>> infer_path("ml")
    '/v2/models/ml/infer'
    """
    return INFER_PATH.format(variant=variant)


def width_of(info: ModelInfo) -> int:
    """Return how many columns a model is sent: those it names, which every server of it takes."""
    return width_for(len(names_of(info.features_digest) or NAMES), tau=info.relative)


def encode_request(rows: Sequence[Row], width: int | None = None) -> bytes:
    """Return the body of an infer request; None means unknown and travels as null.

    Of each row, in the order of ``NAMES``, so many features are sent as there are columns; in
    a tensor of more than ``WITHOUT_TAU`` columns the last one is the row's τ. Without ``width``
    all are sent, τ too where a row has it.

    >>> encode_request([(None,) * len(NAMES)])[:41]
    b'{"inputs":[{"name":"features","shape":[1,'
    """
    if any(len(row) not in (len(NAMES), len(NAMES) + 1) for row in rows):
        found = sorted({len(row) for row in rows})
        raise ValueError(f"found rows of {found} values, expected {len(NAMES)}, or τ after them")
    if width is None:
        width = width_for(len(NAMES), tau=any(len(row) > len(NAMES) for row in rows))
    data = [value for row in rows for value in columns_of(row, width)]
    tensor = _Input(INPUT, [len(rows), width], DATATYPE, data)
    return _encoder.encode(_Request([tensor]))


def decode_response(body: bytes, rows: int, variant: str | None = None) -> Scored:
    """Read the answer to an infer request of so many rows.

    Raises:
        WrongFeatures: the model's feature definitions differ from ours.
        BadResponse: anything else does not fit, ``variant`` included where it is given.
    """
    try:
        response = _decoder.decode(body)
        info = _info(response.parameters)
    except msgspec.DecodeError as exc:
        raise BadResponse(f"not a V2 response as our models give it: {exc}") from exc
    if names_of(info.features_digest) is None:
        raise WrongFeatures(
            f"model {info.variant} {info.version} has features_digest {info.features_digest},"
            f" expected {FEATURES_DIGEST}: train it again or run the code it was trained with"
        )
    if variant is not None and info.variant != variant:
        raise BadResponse(f"found an answer of variant {info.variant!r}, expected {variant!r}")
    scores = _values(OUTPUT, response.outputs, rows)
    severe = _values(SEVERE, response.outputs, rows) if info.relative else None
    return Scored(scores, info, severe)


def parameters_of(info: ModelInfo) -> dict[str, str]:
    """Return the parameters of an answer: strings, as gRPC carries no maps of floats."""
    relative = {
        "default_tau": json.dumps(info.default_tau),
        "thresholds": json.dumps({alarm: dict(each) for alarm, each in info.thresholds.items()}),
    }
    return {
        "model_variant": info.variant,
        "version": info.version,
        "digest": info.digest,
        "features_digest": info.features_digest,
        "dialect": info.dialect,
        "tau": json.dumps(dict(info.tau)),
        "threshold": json.dumps(dict(info.threshold)),
    } | (relative if info.relative else {})


def _info(found: _Parameters) -> ModelInfo:
    return ModelInfo(
        variant=found.model_variant,
        version=found.version,
        digest=found.digest,
        features_digest=found.features_digest,
        dialect=found.dialect,
        tau=_table_decoder.decode(found.tau),
        threshold=_table_decoder.decode(found.threshold),
        default_tau=_tau_decoder.decode(found.default_tau),
        thresholds=_thresholds_decoder.decode(found.thresholds),
    )


def _values(name: str, outputs: list[_Output], rows: int) -> list[float]:
    named = [output for output in outputs if output.name == name]
    if len(named) != 1:
        raise BadResponse(f"found outputs {[o.name for o in outputs]}, expected one {name!r}")
    scores = named[0].data
    if len(scores) != rows or prod(named[0].shape) != rows:
        raise BadResponse(
            f"found {len(scores)} values of {name}, of shape {named[0].shape},"
            f" expected {rows}, one a row"
        )
    outside = [score for score in scores if not 0.0 <= score <= 1.0]
    if outside:
        raise BadResponse(f"found {name} {outside[0]}, expected all in [0, 1]")
    return scores

"""Predictions on the wire."""

import json
from typing import Any

import msgspec
import pytest

from scorer.prediction import Prediction, Shadow, decode, encode, prediction_id

FIELDS: dict[str, Any] = {
    "prediction_id": prediction_id("r", "d"),
    "row_id": "r",
    "feed": "f",
    "product_id": "BTC-USD",
    "time_us": 1,
    "trade_id": 2,
    "dialect": "advanced",
    "mid": 100.5,
    "coverage": 1.0,
    "realized_volatility_60s": None,
    "score": 0.75,
    "spike": None,
    "threshold": None,
    "tau": None,
    "model_variant": "ml",
    "version": "v",
    "digest": "d",
    "features_digest": "x",
    "shadows": [
        Shadow(
            model_variant="baseline", version="b", digest="e", score=0.5, threshold=None, spike=None
        )
    ],
    "flags": ["untrained_product"],
    "received_us": 3,
    "featurized_us": 4,
    "scored_us": 5,
}


def test_what_is_written_is_read() -> None:
    """With the scores of the variants that do not serve, and unknowns as null."""
    made = Prediction(**FIELDS)
    assert decode(encode(made)) == made
    assert json.loads(encode(made))["spike"] is None


def test_an_id_is_made_of_content() -> None:
    """The same row and model have the same id, on every machine; another of either has not."""
    assert prediction_id("r", "d") == "7f7ce58a7394e06f8c0b05371192d56d"
    ids = {prediction_id(row, digest) for row in ("r", "s") for digest in ("d", "e")}
    assert len(ids) == 4
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in ids)


def test_parts_of_an_id_cannot_be_shifted() -> None:
    """The end of a row's id is not taken for the beginning of a digest."""
    assert prediction_id("ab", "c") != prediction_id("a", "bc")


def test_a_wrong_field_is_named() -> None:
    """Flags are a closed list."""
    with pytest.raises(msgspec.ValidationError, match="flags"):
        decode(encode(Prediction(**FIELDS)).replace(b"untrained_product", b"odd"))

"""Rows ↔ V2 tensors, and reading requests, as laws."""

import json
from math import nan

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.schema import InvalidRequest, decode, encode
from featurizer.features import EXAMPLE, FEATURES_DIGEST, NAMES
from serving.card import ModelInfo
from serving.v2 import (
    BadResponse,
    WrongFeatures,
    decode_response,
    encode_request,
    parameters_of,
)

VALUES = st.none() | st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(st.tuples(*[VALUES] * len(NAMES)), min_size=1, max_size=5)


def _answer(**changes):
    parameters = {
        "model_variant": "ml",
        "version": "1",
        "digest": "d",
        "features_digest": FEATURES_DIGEST,
        "dialect": "advanced",
        "tau": '{"BTC-USD": 0.0012}',
        "threshold": '{"BTC-USD": 0.6}',
    }
    output = {"name": "score", "shape": [2], "datatype": "FP64", "data": [0.25, 1.0]}
    body = {"model_name": "ml", "parameters": parameters, "outputs": [output]}
    return json.dumps(body | changes).encode()


@settings(deadline=None)
@given(ROWS)
def test_a_request_reads_back_to_its_bits(rows):
    """Whatever finite numbers and nulls come in, they come out, in the order of NAMES."""
    body = {"rows": [dict(reversed(list(zip(NAMES, row, strict=True)))) for row in rows]}
    assert decode(json.dumps(body).encode()) == rows


@settings(deadline=None)
@given(ROWS)
def test_a_tensor_holds_the_rows_one_after_the_other(rows):
    """The input is FP64 [n, width] in row order, with the same bits."""
    [tensor] = json.loads(encode_request(rows))["inputs"]
    assert (tensor["name"], tensor["datatype"]) == ("features", "FP64")
    assert tensor["shape"] == [len(rows), len(NAMES)]
    assert tensor["data"] == [value for row in rows for value in row]


@settings(deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_nothing_but_a_right_request_gets_through(body):
    """Arbitrary bytes are refused with a reason that can be sent back as JSON."""
    data = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    with pytest.raises(InvalidRequest) as error:
        decode(data)
    msgspec.json.encode([each.problem for each in error.value.problems])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.sampled_from(NAMES), JSON)
def test_any_other_value_of_a_feature_is_named(name, value):
    """A value is taken or it is named as the problem; there is no third way."""
    body = json.dumps({"rows": [EXAMPLE | {name: value}]}).encode()
    fits = value is None or (type(value) is int or type(value) is float)
    try:
        decode(body)
    except InvalidRequest as exc:
        assert [(p.row, p.field) for p in exc.problems] == [(0, name)]
    else:
        assert fits


def test_the_example_is_a_row_in_order():
    """The example of the documentation has every feature, in the order of NAMES."""
    assert tuple(EXAMPLE) == NAMES


def test_a_nan_of_ours_travels_as_null():
    """NaN means unknown to gRPC; in JSON that is null."""
    assert json.loads(encode_request([[nan] * len(NAMES)]))["inputs"][0]["data"] == [None] * len(
        NAMES
    )


def test_a_row_of_another_length_is_an_error_of_ours():
    """A tensor of the wrong width is never sent."""
    with pytest.raises(ValueError, match=rf"found rows of \[11\] values, expected {len(NAMES)}"):
        encode_request([[0.5] * 11])


def test_an_answer_gives_scores_and_the_model():
    """Scores in order; τ and threshold by product come out of their strings."""
    scored = decode_response(_answer(), 2, "ml")
    assert scored.scores == [0.25, 1.0]
    assert scored.info.tau == {"BTC-USD": 0.0012}
    assert scored.info.threshold == {"BTC-USD": 0.6}


@pytest.mark.parametrize(
    "changes",
    [
        {"outputs": []},
        {"parameters": {}},
        {"parameters": None},
        {"outputs": [{"name": "score", "shape": [2], "datatype": "FP64", "data": [0.5, None]}]},
        {"outputs": [{"name": "score", "shape": [1], "datatype": "FP64", "data": [0.5, 0.5]}]},
        {"outputs": [{"name": "other", "shape": [2], "datatype": "FP64", "data": [0.5, 0.5]}]},
    ],
)
def test_an_answer_of_another_form_is_refused(changes):
    """What is missing or different is an error, never a guess."""
    with pytest.raises(BadResponse):
        decode_response(_answer(**changes), 2, "ml")


def test_a_model_reads_back_as_it_named_itself():
    """What a server says of its model is what a client knows of it, to the bit."""
    tau, threshold = {"BTC-USD": 0.1 + 0.2, "ÉTH-USD": 5e-324}, {"BTC-USD": 1 / 3}
    info = ModelInfo("ml", "1", "d", FEATURES_DIGEST, "exchange", tau=tau, threshold=threshold)
    assert decode_response(_answer(parameters=parameters_of(info)), 2, "ml").info == info


def test_other_feature_definitions_are_refused_by_name():
    """The message has both digests and says what to do."""
    parameters = json.loads(_answer())["parameters"] | {"features_digest": "0" * 64}
    with pytest.raises(WrongFeatures, match=f"{'0' * 64}, expected {FEATURES_DIGEST}"):
        decode_response(_answer(parameters=parameters), 2, "ml")


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [(0, "1970-01-01T00:00:00.000000Z"), (1_795_392_000_999_999, "2026-11-23T00:00:00.999999Z")],
)
def test_the_time_of_the_answer_is_exact(microseconds, expected):
    """Epoch microseconds become RFC 3339 without rounding."""
    assert json.loads(encode([0.5], "ml", "1", microseconds))["ts"] == expected


RELATIVE = ModelInfo(
    "ml",
    "1",
    "d",
    FEATURES_DIGEST,
    "advanced",
    tau={},
    threshold={},
    default_tau=0.0006,
    thresholds={"elevated": {"8": 0.2}, "spike": {"4": 0.25}},
)


def test_units_of_the_level_read_back():
    """Default τ and every threshold come with the answer, beside both chances."""
    score = {"name": "score", "shape": [2], "datatype": "FP64", "data": [0.25, 0.5]}
    severe = score | {"name": "severe", "data": [0.01, 0.25]}
    body = _answer(parameters=parameters_of(RELATIVE), outputs=[score, severe])
    scored = decode_response(body, 2, "ml")
    assert (scored.info, scored.severe) == (RELATIVE, [0.01, 0.25])
    with pytest.raises(BadResponse, match="expected one 'severe'"):
        decode_response(_answer(parameters=parameters_of(RELATIVE), outputs=[score]), 2)


def test_a_model_of_before_says_nothing_of_severe_spikes():
    """Null is no chance of 0."""
    scored = decode_response(_answer(), 2)
    assert scored.severe is None
    assert not scored.info.relative

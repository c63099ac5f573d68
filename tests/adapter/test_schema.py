"""Request and response of ``POST /predict``, without a server."""

import json
from typing import Any

import pytest

from adapter.schema import (
    MOST_PROBLEMS,
    InvalidRequest,
    Problem,
    TooManyRows,
    decode,
    encode,
    request_schema,
    response_schema,
)
from featurizer.features import EXAMPLE, NAMES, REQUIRED


def problems_of(body: bytes) -> list[Problem]:
    """Return what is wrong with a request."""
    with pytest.raises(InvalidRequest) as raised:
        decode(body)
    return raised.value.problems


def body_of(*rows: Any) -> bytes:
    """Write a request."""
    return json.dumps({"rows": rows}).encode()


def test_rows_come_in_the_order_of_the_features() -> None:
    """Whatever the order in the request; null is unknown."""
    turned = dict(reversed(EXAMPLE.items())) | {NAMES[0]: None}
    one, two = decode(body_of(EXAMPLE, turned))
    assert one == tuple(EXAMPLE[name] for name in NAMES)
    assert two == (None, *one[1:])


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({NAMES[1]: "1"}, NAMES[1], 'found "1", expected a finite number or null'),
        ({NAMES[1]: 10**400}, NAMES[1], "found a number out of range"),
        ({"more": 1.0}, "more", "unknown feature"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(
    change: dict[str, Any], field: str, problem: str
) -> None:
    """Rows count from 0; the one that is right is not named."""
    [found] = problems_of(body_of(EXAMPLE, EXAMPLE | change))
    assert (found.row, found.field) == (1, field)
    assert found.problem.startswith(problem)


def test_a_missing_feature_is_named() -> None:
    """Each one that is missing."""
    few = {name: value for name, value in EXAMPLE.items() if name not in REQUIRED[:2]}
    assert [found.field for found in problems_of(body_of(few))] == list(REQUIRED[:2])


def test_a_name_given_twice_is_refused() -> None:
    """JSON readers would take the last one silently."""
    twice = body_of(EXAMPLE).replace(b'"rows": [{', b'"rows": [{"log_return_60s": 1, ')
    assert problems_of(twice) == [Problem(0, "log_return_60s", "given twice")]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "not JSON"),
        (b"[]", "found a list, expected an object"),
        (b'{"rows": []}', "empty, expected at least one row"),
        (b'{"rows": {}}', "found an object, expected a list"),
        (b"{}", "missing"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_body_of_another_form_is_told(body: bytes, problem: str) -> None:
    """No row is named where the body itself is meant."""
    [found] = problems_of(body)
    assert found.row is None and found.problem.startswith(problem)


def test_a_long_batch_is_told_apart_from_a_wrong_one() -> None:
    """The caller may split it."""
    with pytest.raises(TooManyRows, match="found 3 rows, expected at most 2"):
        decode(body_of(EXAMPLE, EXAMPLE, EXAMPLE), most_rows=2)
    assert len(decode(body_of(EXAMPLE, EXAMPLE), most_rows=2)) == 2


def test_the_first_problems_tell_the_story() -> None:
    """A batch that is wrong everywhere names some and counts all."""
    with pytest.raises(InvalidRequest) as raised:
        decode(body_of(*[{}] * MOST_PROBLEMS))
    assert len(raised.value.problems) == MOST_PROBLEMS
    assert raised.value.total == MOST_PROBLEMS * len(REQUIRED)


def test_an_answer_has_the_fields_of_its_schema() -> None:
    """The time is RFC 3339 in UTC with all microseconds."""
    answer = json.loads(encode([0.25], "ml", "0123456789ab", 1_763_812_800_000_001))
    assert answer == {
        "scores": [0.25],
        "model_variant": "ml",
        "version": "0123456789ab",
        "ts": "2025-11-22T12:00:00.000001Z",
    }
    assert list(answer) == response_schema()["required"]


def test_the_schema_asks_for_every_feature() -> None:
    """And for nothing else."""
    row = request_schema()["properties"]["rows"]["items"]
    assert list(row["properties"]) == [*NAMES, "tau"] and row["required"] == list(REQUIRED)
    assert row["additionalProperties"] is False

"""Request and response of ``POST /predict``.

A right request is read in one pass by msgspec, in microseconds; only a wrong one is read again,
slowly, to name everything that is wrong with it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, Final

import msgspec

from featurizer.features import FEATURES, NAMES, REQUIRED
from serving.control import VARIANTS
from serving.tensor import TAU

MOST_ROWS: Final = 1_000
MOST_PROBLEMS: Final = 50
"""A batch may be wrong in 12,000 places; the first ones tell the story."""
MOST_CHARACTERS: Final = 80

Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; ``row`` counts from 0, null where the body itself is meant."""

    row: int | None
    field: str | None
    problem: str


class InvalidRequest(Exception):
    """The body is not what ``/predict`` takes; ``problems`` lists why, at most ``MOST_PROBLEMS``.

    ``total`` is how many there are in all.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems[:MOST_PROBLEMS]
        self.total = len(problems)
        super().__init__(f"{self.total} problems, first: {problems[0]}")


class TooManyRows(Exception):
    """The body has more rows than one request may have."""

    def __init__(self, found: int, most: int) -> None:
        super().__init__(f"found {found} rows, expected at most {most}: split the batch")


class Predicted(msgspec.Struct, frozen=True):
    """The response: scores in [0, 1] in the order of the rows, and which model gave them.

    ``ts`` is the time of the answer (RFC 3339, UTC). ``severe``, the chances of 2τ, is there where
    the model is in units of τ.
    """

    scores: list[float]
    model_variant: str
    version: str
    ts: str
    severe: list[float] | msgspec.UnsetType = msgspec.UNSET


_Tau = Annotated[float, msgspec.Meta(gt=0)]
_LATER: Final = NAMES[len(REQUIRED) :]
_Row = msgspec.defstruct(
    "_Row",
    [
        *((name, float | None) for name in REQUIRED),
        *((name, float | None | msgspec.UnsetType, msgspec.UNSET) for name in _LATER),
        (TAU, _Tau | None | msgspec.UnsetType, msgspec.UNSET),
    ],
    forbid_unknown_fields=True,
    frozen=True,
)
_Body = msgspec.defstruct(
    "_Body", [("rows", list[_Row])], forbid_unknown_fields=True, frozen=True  # type: ignore[valid-type]
)
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Body)
_encoder = msgspec.json.Encoder()


def decode(body: bytes, most_rows: int = MOST_ROWS) -> list[Values]:
    """Read the rows of a request, each in the order of ``NAMES``; what came later may be absent.

    A row that names τ has it after them.

    >>> from featurizer.features import EXAMPLE
    >>> decode(msgspec.json.encode({"rows": [EXAMPLE]}))[0][:2]
    (0.00071, -0.000729)

    Raises:
        InvalidRequest: with every row and field that is wrong.
        TooManyRows: more than ``most_rows``.
    """
    try:
        rows = _decoder.decode(body).rows
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise _diagnosed(body, most_rows, str(exc)) from exc
    given = [msgspec.structs.astuple(row) for row in rows]
    later = [value for values in given for value in values[len(REQUIRED) :]]
    absent = later.count(msgspec.UNSET)
    # Numbers and nulls carry no quotes, so a name given twice shows in their count.
    quotes = 2 * (1 + (len(NAMES) + 1) * len(rows) - absent)
    if not rows or len(rows) > most_rows or body.count(b'"') != quotes:
        raise _diagnosed(body, most_rows, "a name stands twice")
    return [_row(values) for values in given] if absent else given


def _row(values: tuple[float | msgspec.UnsetType | None, ...]) -> Values:
    named = values[: len(NAMES)] if values[-1] is msgspec.UNSET else values
    return tuple(map(_known, named))


def _known(value: float | msgspec.UnsetType | None) -> float | None:
    return None if value is msgspec.UNSET else value


def encode(
    scores: list[float],
    model_variant: str,
    version: str,
    answered_us: int,
    severe: list[float] | None = None,
) -> bytes:
    """Return the body of the response; ``answered_us`` is the wall clock in epoch microseconds."""
    seconds, microseconds = divmod(answered_us, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    ts = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    given = msgspec.UNSET if severe is None else severe
    return _encoder.encode(Predicted(scores, model_variant, version, ts, given))


def _diagnosed(body: bytes, most_rows: int, otherwise: str) -> InvalidRequest | TooManyRows:
    try:
        content = json.loads(
            body.decode(),
            object_pairs_hook=_Pairs,
            parse_int=float,  # an integer of a thousand digits is slow, as a float it is inf
            parse_constant=_Constant,
        )
    except (ValueError, RecursionError) as exc:
        return InvalidRequest([Problem(None, None, f"not JSON: {exc}")])
    if isinstance(content, _Pairs):
        rows = content.values().get("rows")
        if isinstance(rows, list) and len(rows) > most_rows:
            return TooManyRows(len(rows), most_rows)
    return InvalidRequest(list(_problems(content)) or [Problem(None, None, otherwise)])


class _Pairs(list[tuple[str, Any]]):
    """A JSON object that still shows names given twice."""

    def values(self) -> Mapping[str, Any]:
        return dict(self)

    def twice(self) -> list[str]:
        return [name for name, times in Counter(name for name, _ in self).items() if times > 1]


class _Constant(str):
    """NaN, Infinity or -Infinity, which are no JSON."""


def _problems(content: object) -> Iterator[Problem]:
    if not isinstance(content, _Pairs):
        yield Problem(None, None, f'found {_shown(content)}, expected an object {{"rows": […]}}')
        return
    for name in content.twice():
        yield Problem(None, _cut(name), "given twice")
    fields = content.values()
    for name in fields.keys() - {"rows"}:
        yield Problem(None, _cut(name), "unknown, expected only rows")
    if "rows" not in fields:
        yield Problem(None, "rows", "missing")
    elif not isinstance(fields["rows"], list) or isinstance(fields["rows"], _Pairs):
        yield Problem(None, "rows", f"found {_shown(fields['rows'])}, expected a list")
    elif not fields["rows"]:
        yield Problem(None, "rows", "empty, expected at least one row")
    else:
        for index, row in enumerate(fields["rows"]):
            yield from _row_problems(index, row)


def _row_problems(index: int, row: object) -> Iterator[Problem]:
    if not isinstance(row, _Pairs):
        yield Problem(index, None, f"found {_shown(row)}, expected an object of features")
        return
    for name in row.twice():
        yield Problem(index, _cut(name), "given twice")
    fields = row.values()
    for name in REQUIRED:
        if name not in fields:
            yield Problem(index, name, "missing, expected a number or null")
    for name, value in fields.items():
        if name == TAU:
            if not _fits(value) or (isinstance(value, float) and value <= 0.0):
                said = f"found {_shown(value)}, expected a finite number above 0, or null"
                yield Problem(index, name, said)
        elif name not in NAMES:
            yield Problem(index, _cut(name), "unknown feature")
        elif not _fits(value):
            yield Problem(index, name, f"found {_shown(value)}, expected a finite number or null")


def _fits(value: object) -> bool:
    return value is None or (isinstance(value, float) and isfinite(value))


def _shown(value: object) -> str:
    """Say what was found, shortly."""
    if isinstance(value, _Pairs):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, _Constant):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        return "a number out of range"
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    """Shorten what came from outside; lone surrogates cannot be sent back."""
    kept = text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
    return kept.encode(errors="replace").decode()


def request_schema() -> dict[str, Any]:
    """Return the JSON schema of the request, from ``FEATURES``."""
    properties: dict[str, Any] = {
        feature.name: {
            "type": ["number", "null"],
            "description": f"{feature.statistic.definition}, W = {feature.window} s"
            f" ({feature.statistic.unit}); null: unknown",
        }
        for feature in FEATURES
    }
    properties[TAU] = {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "description": "the product's level (log return over 60 s); null: the model's default",
    }
    row = {
        "type": "object",
        "properties": properties,
        "required": list(REQUIRED),
        "additionalProperties": False,
    }
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MOST_ROWS}
    return {
        "type": "object",
        "properties": {"rows": rows},
        "required": ["rows"],
        "additionalProperties": False,
    }


def response_schema() -> dict[str, Any]:
    """Return the JSON schema of the response."""
    score = {"type": "number", "minimum": 0, "maximum": 1}
    properties: dict[str, Any] = {
        "scores": {"type": "array", "items": score, "description": "in the order of the rows"},
        "model_variant": {"type": "string", "enum": list(VARIANTS)},
        "version": {"type": "string", "description": "first 12 digits of the model's digest"},
        "ts": {"type": "string", "format": "date-time"},
    }
    required = list(properties)
    said = "chances of 2τ, from models in units of τ alone"
    properties["severe"] = {"type": "array", "items": score, "description": said}
    return {"type": "object", "properties": properties, "required": required}

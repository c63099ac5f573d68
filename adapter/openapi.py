"""What ``/openapi.json`` and ``/docs`` say of ``/predict``, with examples that really work."""

import json
from collections.abc import Mapping
from typing import Any, Final

from adapter.passthrough import INFER_PATHS, VERSION
from adapter.schema import request_schema, response_schema
from featurizer.features import EXAMPLE, NAMES
from serving.control import VARIANTS
from serving.tensor import DATATYPE, EXAMPLE_ROW, INPUT, OUTPUT
from serving.v2 import MODEL_PATH, encode_request, infer_path

_SCORES: Final = {
    "scores": [0.8731],
    "model_variant": "ml",
    "version": "3f9c2a7d1b04",
    "ts": "2026-11-22T12:00:00.000000Z",
}
_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "error": {"type": "string", "description": "only under /v2: the detail, as V2 names it"},
        "problems": {
            "type": "array",
            "description": "only with 422: each row (from 0) and field that is wrong",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": ["integer", "null"]},
                    "field": {"type": ["string", "null"]},
                    "problem": {"type": "string"},
                },
            },
        },
    },
}


_PROBLEM: Final = {"application/problem+json": {"schema": _PROBLEM_SCHEMA}}
_OF_ALL: Final = {
    "4XX": "what was asked cannot be answered; `detail` says what was found and expected",
    "5XX": "we, or the model, cannot answer; `detail` says what is the matter",
}
_OF_POSTS: Final = {
    "401": "API keys are on and none known was brought",
    "408": "head or body did not come in time",
    "413": "too many rows or bytes",
    "429": "too many requests; Retry-After says when to come again",
    "503": "the model is away, or too much is on its way; Retry-After says when to come again",
}
_OF_PREDICT: Final = {"422": "a row or field is wrong; all that is wrong is listed"}
_OF_INFER: Final = {"415": "another content type than JSON, or binary tensors"}
_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "variant": {"type": "string", "enum": list(VARIANTS)},
    "version": {"type": "string", "pattern": VERSION.pattern},
}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add what FastAPI does not know: parameters of paths, errors, and examples with nulls."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if named := _parameters(path):
                operation["parameters"] = named
            operation["responses"] |= _errors(_OF_ALL)
    document["paths"]["/predict"]["post"] |= predict_operation()
    for path in INFER_PATHS:
        document["paths"][path]["post"] |= infer_operation()
    return document


def _parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in _PARAMETERS.items()
        if f"{{{name}}}" in path
    ]


def _errors(described: Mapping[str, str]) -> dict[str, Any]:
    return {status: {"description": why, "content": _PROBLEM} for status, why in described.items()}


def predict_operation() -> dict[str, Any]:
    """Return the OpenAPI operation of ``POST /predict``."""
    unknown = EXAMPLE | dict.fromkeys(n for n in EXAMPLE if n.startswith("order_book"))
    examples = {
        "one row": {"value": {"rows": [EXAMPLE]}},
        "sizes unknown": {"value": {"rows": [unknown]}},
        "two rows": {"value": {"rows": [EXAMPLE, unknown]}},
    }
    right = {"schema": response_schema(), "example": _SCORES}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": request_schema(), "examples": examples}},
        },
        "responses": {
            "200": {"description": "scored", "content": {"application/json": right}},
            **_errors(_OF_ALL | _OF_POSTS | _OF_PREDICT),
        },
    }


def infer_operation() -> dict[str, Any]:
    """Return the OpenAPI operation of V2 inference."""
    example = json.loads(encode_request([EXAMPLE_ROW]))
    answer = {"application/json": {"schema": {"type": "object"}}}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        },
        "responses": {
            "200": {"description": "scored", "content": answer},
            **_errors(_OF_ALL | _OF_POSTS | _OF_INFER),
        },
    }


def static_page() -> str:
    """Return the part of ``/docs`` that is read where Swagger UI cannot be loaded."""
    body = json.dumps({"rows": [EXAMPLE]}, indent=2)
    models = ", ".join(MODEL_PATH.format(variant=variant) for variant in VARIANTS)
    return (
        "<h1>crypto-volatility</h1>"
        "<p>The probability that volatility spikes within the next 60 seconds. "
        'Machine-readable: <a href="openapi.json">openapi.json</a>.</p>'
        "<h2>POST /predict</h2><pre>curl -H 'Content-Type: application/json' "
        f"-d @- http://localhost:8000/predict &lt;&lt;'END'\n{body}\nEND</pre>"
        f"<p>answers</p><pre>{json.dumps(_SCORES, indent=2)}</pre>"
        f"<h2>GET</h2><p>/health, /version, /metrics, /healthz, /readyz, {models}</p>"
        f"<h2>POST {infer_path('{' + ','.join(VARIANTS) + '}')}</h2>"
        f"<p>Open Inference Protocol: input <code>{INPUT}</code>, {DATATYPE}, [n,{len(NAMES)}]; "
        f"output <code>{OUTPUT}</code>, {DATATYPE}, [n].</p>"
    )

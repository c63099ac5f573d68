"""What ``/openapi.json`` and ``/docs`` say of ``/predict``, with examples that really work."""

import json
from typing import Any, Final

from adapter.passthrough import INFER_PATHS
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


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """Add what FastAPI would change: it takes the nulls out of examples."""
    paths = document["paths"]
    paths["/predict"]["post"] |= predict_operation()
    for path in INFER_PATHS:
        paths[path]["post"] |= infer_operation()
    return document


def predict_operation() -> dict[str, Any]:
    """Return the OpenAPI operation of ``POST /predict``."""
    unknown = EXAMPLE | dict.fromkeys(n for n in EXAMPLE if n.startswith("order_book"))
    examples = {
        "one row": {"value": {"rows": [EXAMPLE]}},
        "sizes unknown": {"value": {"rows": [unknown]}},
        "two rows": {"value": {"rows": [EXAMPLE, unknown]}},
    }
    problem = {"application/problem+json": {"schema": _PROBLEM_SCHEMA}}
    errors = {
        "401": "API keys are on and none known was brought",
        "413": "too many rows or bytes",
        "422": "a row or field is wrong; all that is wrong is listed",
        "429": "too many requests; Retry-After says when to come again",
        "503": "the model is away; Retry-After says when to come again",
    }
    right = {"schema": response_schema(), "example": _SCORES}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": request_schema(), "examples": examples}},
        },
        "responses": {
            "200": {"description": "scored", "content": {"application/json": right}},
            **{status: {"description": why, "content": problem} for status, why in errors.items()},
        },
    }


def infer_operation() -> dict[str, Any]:
    """Return the OpenAPI operation of V2 inference."""
    example = json.loads(encode_request([EXAMPLE_ROW]))
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        }
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

"""What of V2 the adapter passes on: the server's own health and two models, nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from serving.control import VARIANTS, Variant
from serving.v2 import INFER_PATH, MODEL_PATH

_VERSION_PATH: Final = f"{MODEL_PATH}/versions/{{version}}"
GET_PATHS: Final = (
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    MODEL_PATH,
    f"{MODEL_PATH}/ready",
    _VERSION_PATH,
    f"{_VERSION_PATH}/ready",
)
INFER_PATHS: Final = (INFER_PATH, f"{_VERSION_PATH}/infer")
_MOST_SAID: Final = 500
VERSION: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_DOWN: Final = ("content-type", "accept")
_OF_ONE_CONNECTION: Final = (
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    # Made anew for the answer that goes out:
    "content-length",
    "date",
    "server",
)


class NotJson(Exception):
    """The body is of a content type that is not passed on."""


class NotServed(Exception):
    """The path names a model or version that is none of ours."""


class _Error(msgspec.Struct):
    error: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: ``path`` is built anew from checked parts, never copied."""

    path: str
    variant: Variant | None


def target(route: str, parts: Mapping[str, str]) -> Target:
    """Return where a request to one of our paths goes.

    >>> target("/v2/models/{variant}/ready", {"variant": "ml"})
    Target(path='/v2/models/ml/ready', variant='ml')

    Raises:
        NotServed: another model, or a version that could change the path.
    """
    named, number = parts.get("variant"), parts.get("version")
    if number is not None and not VERSION.fullmatch(number):
        raise NotServed(f"found version {number!r}, expected one of a model")
    if named is None:
        return Target(route, None)
    for variant in VARIANTS:
        if variant == named:
            return Target(route.format(variant=variant, version=number), variant)
    raise NotServed(f"found model {named!r}, expected one of {', '.join(VARIANTS)}")


def down(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that belong to the message itself."""
    return {name: headers[name] for name in _DOWN if name in headers}


def check_json(headers: Mapping[str, str]) -> None:
    """Let JSON through, and what names no type; the server would end on all else with a 500.

    Raises:
        NotJson: another content type, or the binary extension of V2.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/json") and not kind.endswith("+json"):
        raise NotJson(f"found content type {kind[:100]!r}, expected application/json")
    if "inference-header-content-length" in headers:
        raise NotJson("found binary tensors, expected all data as JSON")


def error_of(body: bytes) -> str:
    """Return what a V2 server says of an error: its ``error``, or the beginning of its answer.

    >>> error_of(b'{"error": "Model ml not found"}')
    'Model ml not found'
    >>> error_of(b"Bad Gateway")
    'Bad Gateway'
    """
    try:
        return msgspec.json.decode(body, type=_Error).error
    except msgspec.DecodeError:
        return body[:_MOST_SAID].decode("utf-8", "replace") or "it does not say why"


def back(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the answer's headers without those of one connection."""
    return {
        name: value for name, value in headers.items() if name.lower() not in _OF_ONE_CONNECTION
    }

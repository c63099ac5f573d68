"""A Secret as Helm sends its own: protobuf, of which the fields that a release has are read.

https://protobuf.dev/programming-guides/encoding and Kubernetes' generated.proto have the numbers.
"""

import base64
from collections.abc import Iterator
from typing import Any, Final

MAGIC: Final = b"k8s\0"
"""What stands before every object in Kubernetes' protobuf."""


def secret_of(body: bytes) -> dict[str, Any]:
    """Return a Secret from its envelope; raises ValueError for anything else."""
    if not body.startswith(MAGIC):
        raise ValueError(f"found {body[:8]!r}, expected an envelope of Kubernetes")
    envelope = dict(_fields(body[len(MAGIC) :]))
    if dict(_fields(envelope[1])).get(2) != b"Secret":
        raise ValueError("found another kind, expected a Secret")
    secret = list(_fields(envelope[2]))
    metadata = next(value for number, value in secret if number == 1)
    data = {key: base64.b64encode(value).decode() for key, value in _pairs(secret, 2).items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(metadata),
        "type": dict(secret)[3].decode(),
        "data": data,
    }


def _metadata(body: bytes) -> dict[str, Any]:
    fields = list(_fields(body))
    labels = {key: value.decode() for key, value in _pairs(fields, 11).items()}
    return {"name": dict(fields)[1].decode(), "labels": labels}


def _pairs(fields: list[tuple[int, bytes]], number: int) -> dict[str, bytes]:
    """Return a map: each entry is a message of key and value."""
    entries = [dict(_fields(value)) for found, value in fields if found == number]
    return {entry[1].decode(): entry[2] for entry in entries}


def _fields(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each field; those that are numbers have none."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        length, at = _varint(body, at)
        if tag & 7 == 2:
            yield tag >> 3, body[at : at + length]
            at += length
        elif tag & 7 != 0:
            raise ValueError(f"found a field of type {tag & 7}, expected a number or bytes")


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        value |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if body[at - 1] < 0x80:
            return value, at

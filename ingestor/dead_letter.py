"""DeadLetter: what could not be used, and why; the schema of topic ``dead-letters``."""

from typing import Final

import msgspec

from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1
UNKNOWN: Final = "unknown"
"""The feed of what cannot be read: it does not say where it is from."""
RAW_LIMIT: Final = 65_536
"""Bytes kept of a frame: even fully escaped it stays below Kafka's 1 MB a record."""
REASON_LIMIT: Final = 500


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was refused: found and expected in ``reason``, the frame in ``raw``.

    ``raw`` holds at most ``RAW_LIMIT`` bytes; ``raw_bytes`` is the whole frame's length.
    ``received_us`` is our clock, epoch microseconds. ``topic``, ``partition`` and ``offset`` say
    where a record stands that came by Kafka: a letter of the same place is the same letter.
    """

    feed: str
    source: str
    reason: str
    raw: str
    raw_bytes: int
    received_us: int
    product_id: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    schema_version: int = SCHEMA_VERSION


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DeadLetter)


def dead_letter(
    source: str,
    reason: str,
    raw: bytes,
    received_us: int,
    *,
    feed: str = UNKNOWN,
    product_id: str | None = None,
) -> DeadLetter:
    """Make the letter of what ``source`` refused, cut to what a topic can carry."""
    return DeadLetter(
        feed=feed,
        source=source,
        reason=reason[:REASON_LIMIT],
        raw=raw[:RAW_LIMIT].decode(errors="replace"),
        raw_bytes=len(raw),
        received_us=received_us,
        product_id=product_id,
    )


def encode(letter: DeadLetter) -> bytes:
    """Return the JSON of a letter, as it stands in ``dead-letters``."""
    return _encoder.encode(letter)


def decode(data: bytes) -> DeadLetter:
    """Read a letter; raises ``msgspec.DecodeError`` naming the bad field."""
    return read_message(_decoder, data, SCHEMA_VERSION)

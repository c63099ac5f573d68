"""Which variant serves: what the compacted topic ``control`` holds, and how it is followed."""

from typing import Final, Literal, get_args

import msgspec

from ingestor.plausibility import check_time
from plumbing.messages import read_message

SCHEMA_VERSION: Final = 1
KEY: Final = "serving"
"""The Kafka key: compaction keeps the last record of it."""

Variant = Literal["ml", "baseline"]
VARIANTS: Final[tuple[Variant, ...]] = get_args(Variant)


class UnknownVariant(ValueError):
    """A name that is none of ``VARIANTS``."""


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """From here on ``variant`` serves.

    ``changed_by`` says who wanted it, ``changed_us`` when (epoch microseconds, wall clock).
    """

    variant: Variant
    changed_by: str
    changed_us: int
    schema_version: int = SCHEMA_VERSION


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Control)


def encode(control: Control) -> bytes:
    """Return the JSON as it stands in ``control``."""
    return _encoder.encode(control)


def decode(data: bytes) -> Control:
    """Read a record of ``control``; raises ``msgspec.DecodeError`` naming the bad field."""
    return read_message(_decoder, data, SCHEMA_VERSION, _check)


def _check(control: Control) -> None:
    check_time("changed_us", control.changed_us)


def variant_named(name: str) -> Variant:
    """Return the variant of that name.

    Raises:
        UnknownVariant: says what was found and what was expected.
    """
    for variant in VARIANTS:
        if variant == name:
            return variant
    raise UnknownVariant(f"found variant {name!r}, expected one of {', '.join(VARIANTS)}")


class Serving:
    """The variant that serves now; one thread writes, any may read.

    >>> serving = Serving("ml")
    >>> serving.take(KEY, encode(Control(variant="baseline", changed_by="ann", changed_us=0)))
    True
    >>> serving.variant
    'baseline'
    """

    __slots__ = ("_default", "last", "variant")

    def __init__(self, default: Variant) -> None:
        self._default = default
        self.variant: Variant = default
        self.last: Control | None = None

    def take(self, key: str, value: bytes) -> bool:
        """Follow one record of ``control``; true if another variant serves from now on.

        A tombstone (``b""``) brings the default back; other keys are none of ours.

        Raises:
            msgspec.DecodeError: not a Control, or of an unknown variant; nothing changes.
        """
        if key != KEY:
            return False
        before = self.variant
        self.last = decode(value) if value else None
        self.variant = self.last.variant if self.last else self._default
        return self.variant != before

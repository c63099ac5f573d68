"""Bytes of a topic become a message, or one kind of error that says why they cannot."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

_M = TypeVar("_M")


def _unchecked(_: Any) -> None:
    """Find nothing wrong."""


def read_message(
    decoder: msgspec.json.Decoder[_M],
    data: bytes,
    newest_version: int,
    check: Callable[[_M], object] = _unchecked,
) -> _M:
    """Return the message that JSON holds.

    ``check`` raises ``ValueError`` where a value is of the right type and yet cannot be meant.

    Raises:
        msgspec.DecodeError: no message, bad UTF-8, nested beyond all measure, of a
            ``schema_version`` not known here, or with values that cannot be meant; the text says
            what was found and what was expected.
    """
    try:
        message = decoder.decode(data)
        version = getattr(message, "schema_version", newest_version)
        if not 1 <= version <= newest_version:
            known = "1" if newest_version == 1 else f"1 to {newest_version}"
            raise ValueError(f"found schema_version {version}, expected {known}")
        check(message)
    except msgspec.DecodeError:
        raise
    except (ValueError, RecursionError) as exc:  # UnicodeDecodeError is a ValueError
        raise msgspec.ValidationError(str(exc)) from exc
    return message

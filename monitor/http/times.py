"""Event times as users write them: ISO-8601, or epoch microseconds."""

import re
from datetime import UTC, datetime
from typing import Final

_SPACED_OFFSET: Final = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$")
EARLIEST_US: Final = 10**14
"""1973: a smaller number is seconds or milliseconds, not microseconds."""


def parse_us(text: str) -> int:
    """Return epoch microseconds; a time without zone is UTC.

    Raises:
        ValueError: says what was found and what was expected.

    >>> parse_us("2026-04-05T22:35:13Z")
    1775428513000000
    >>> parse_us("1775428513000000")
    1775428513000000
    """
    if text.isdecimal():
        return _microseconds(text)
    # An unescaped + of a zone arrives as a space.
    written = _SPACED_OFFSET.sub(r"\1+\2", text)
    try:
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError(
            f"found {text!r}, expected ISO-8601 (2026-04-05T22:35:13Z) or epoch microseconds"
        ) from exc
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _microseconds(text: str) -> int:
    if len(text) > 18 or int(text) < EARLIEST_US:
        raise ValueError(f"found {text!r}, expected epoch microseconds (16 digits) or ISO-8601")
    return int(text)

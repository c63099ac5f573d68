"""Times as the exchange and its recorders write them, and as epoch microseconds."""

import re
from datetime import UTC, datetime
from typing import Final

SECOND_US: Final = 1_000_000

_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?"
)


def instant(text: str) -> tuple[int, str]:
    """Return the epoch microseconds of a time, and the time as the exchange would write it.

    Further digits are cut in the number and kept in the text; a time without a zone is UTC::

        "2026-04-05T22:35:13.92532762Z" → 1775428513925327, "2026-04-05T22:35:13.92532762Z"

    Raises:
        ValueError: not an ISO time of whole seconds with at most nine digits after the point.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"found time {text!r}, expected one like 2026-04-05T22:35:13.92532762Z")
    day, clock, digits, zone = found.groups(default="")
    whole = datetime.fromisoformat(f"{day}T{clock}{zone or 'Z'}").astimezone(UTC)
    time_us = int(whole.timestamp()) * SECOND_US + int(digits[:6].ljust(6, "0"))
    return time_us, f"{whole:%Y-%m-%dT%H:%M:%S}{'.' + digits if digits else ''}Z"


def text_of(time_us: int, nanoseconds: int = 0) -> str:
    """Write a time with nine digits; ``nanoseconds`` are those below the microsecond.

    >>> text_of(1_775_428_513_925_327, 620)
    '2026-04-05T22:35:13.925327620Z'
    """
    whole = datetime.fromtimestamp(time_us // SECOND_US, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time_us % SECOND_US:06d}{nanoseconds:03d}Z"

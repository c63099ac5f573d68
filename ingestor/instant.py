"""Times as the exchange and its recorders write them, and as epoch microseconds."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

SECOND_US: Final = 1_000_000

_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?"
)
_NUMBER: Final = re.compile(r"\d{1,19}(\.\d+)?(e\+?\d+)?")


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
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{zone or 'Z'}").astimezone(UTC)
    except OverflowError as exc:  # its zone leads out of the years 1 to 9999
        raise ValueError(f"found time {text!r}, expected a year from 1 to 9999 in UTC") from exc
    time_us = int(whole.timestamp()) * SECOND_US + int(digits[:6].ljust(6, "0"))
    return time_us, f"{whole:%Y-%m-%dT%H:%M:%S}{'.' + digits if digits else ''}Z"


def time_text(value: object) -> str:
    """Return a time as text; a number counts from 1970, in s, ms, µs or ns by its size.

    >>> time_text(1_775_428_513), time_text("1775428513925.5"), time_text("2026-04-05 22:35:13")
    ('2026-04-05T22:35:13Z', '2026-04-05T22:35:13.9255Z', '2026-04-05 22:35:13')

    Raises:
        ValueError: neither a text nor a number after 1970.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"found time {value!r}, expected a text or a number")
    text = str(value)
    if _NUMBER.fullmatch(text) is None:
        return text
    number = Decimal(text)
    power = next((p for p in (0, 3, 6, 9) if number < 10 ** (11 + p)), 9)
    whole, digits = divmod(number.scaleb(-power), 1)
    moment = datetime.fromtimestamp(int(whole), UTC)
    part = f"{digits:f}".partition(".")[2][:9]
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' + part if part else ''}Z"


def text_of(time_us: int, nanoseconds: int = 0) -> str:
    """Write a time with nine digits; ``nanoseconds`` are those below the microsecond.

    >>> text_of(1_775_428_513_925_327, 620)
    '2026-04-05T22:35:13.925327620Z'
    """
    whole = datetime.fromtimestamp(time_us // SECOND_US, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time_us % SECOND_US:06d}{nanoseconds:03d}Z"

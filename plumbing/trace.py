"""W3C trace context: making and continuing ``traceparent`` values."""

import re
import secrets

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def new_traceparent() -> str:
    """Begin a trace.

    >>> new_traceparent()                                       # doctest: +SKIP
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    """
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child_of(traceparent: str | None) -> str:
    """Continue a trace with a span of our own; begin one where there is none or it is malformed."""
    found = _FORM.fullmatch(traceparent or "")
    if not found or set(found[1]) == {"0"} or set(found[2]) == {"0"}:
        return new_traceparent()
    return f"00-{found[1]}-{secrets.token_hex(8)}-{found[3]}"

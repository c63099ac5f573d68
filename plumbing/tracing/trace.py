"""Traces: W3C trace context, and spans that are recorded only where a collector is named.

Without a collector no trace is begun: one that came is carried on, and no SDK is loaded.
"""

import re
from random import getrandbits
from typing import Final, Literal, Protocol

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Parts = tuple[str, str, str]
"""Trace id, span id and flags, in hexadecimal."""

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


def child_of(traceparent: str | None) -> str | None:
    """Continue a trace with a span of our own; None where there is none or it is malformed.

    >>> child_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")[:36]
    '00-4bf92f3577b34da6a3ce929d0e0e4736-'
    """
    found = parts_of(traceparent)
    if found is None:
        return None
    return f"00-{found[0]}-{getrandbits(64):016x}-{found[2]}"


def parts_of(traceparent: str | None) -> Parts | None:
    """Take a ``traceparent`` apart; None where there is no valid one."""
    found = _FORM.fullmatch(traceparent or "")
    if not found or found[1] == _NO_TRACE or found[2] == _NO_SPAN:
        return None
    return found[1], found[2], found[3]


def headers_of(traceparent: str | None) -> dict[str, str]:
    """Return the header by which a trace travels; none where there is no trace."""
    return {} if traceparent is None else {"traceparent": traceparent}


class Span(Protocol):
    """One step of a trace."""

    @property
    def traceparent(self) -> str | None:
        """What the header of whatever comes next says; None where it belongs to no trace."""

    @property
    def recorded(self) -> bool:
        """True where a collector will be told of it."""

    @property
    def exemplar(self) -> dict[str, str] | None:
        """The labels that lead from a histogram to this trace; None where nobody recorded it."""

    def tell(self, name: str, value: str | int | float) -> None:
        """Add an attribute."""

    def link(self, other: "Span") -> None:
        """Point to a span of another trace that did work for this one too."""

    def fail(self, reason: str) -> None:
        """Say that the step failed; it still has to end."""

    def end(self, end_us: int | None = None) -> None:
        """End it now, or at a time in epoch microseconds."""


class Tracer(Protocol):
    """Begins spans; may be used from several threads."""

    def begin(
        self,
        name: str,
        parent: str | None = None,
        *,
        kind: Kind = "internal",
        start_us: int | None = None,
    ) -> Span:
        """Begin a span under a ``traceparent``, or a trace of its own where that is none.

        ``start_us`` is when it began, epoch microseconds; now if it is not given.
        """

    def close(self) -> None:
        """Send what was not sent yet; takes a few seconds at most."""


class Carried:
    """A span that nobody records: it only carries the trace on, if there is one."""

    __slots__ = ("traceparent",)
    recorded: Final = False
    exemplar: Final = None

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    def tell(self, name: str, value: str | int | float) -> None:
        pass

    def link(self, other: Span) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass

    def end(self, end_us: int | None = None) -> None:
        pass


class Untraced:
    """The tracer without a collector."""

    def begin(
        self,
        name: str,
        parent: str | None = None,
        *,
        kind: Kind = "internal",
        start_us: int | None = None,
    ) -> Span:
        """Carry the trace on; begin none, as nobody would read what it says."""
        return Carried(child_of(parent))

    def close(self) -> None:
        """There is nothing to send."""


UNTRACED: Final[Tracer] = Untraced()

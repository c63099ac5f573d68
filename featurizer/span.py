"""A stretch of one partition of a topic."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets ``first … end − 1`` of one partition."""

    first: int
    end: int

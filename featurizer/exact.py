"""Exact sums of floats, to which terms are added and from which they are taken at constant cost.

A float is an integer times a power of two, so a sum of floats is an integer times one, too, and
adding and subtracting integers rounds nothing. Only the end does, once and correctly: the bits are
those of ``math.fsum`` over the same terms, whatever was added and taken before.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from math import nan
from typing import Final

SPARE: Final = 2**32
"""How much finer units become than a term asks for: the next one shall not ask again."""
COARSE: Final = 2**512
"""Up to here a unit is a float, and no whole number of units is subnormal."""


class _Counted(ABC):
    """What is counted in units of ``1/_one``, a power of two, as fine as its terms need.

    ``_scale`` and ``_unit`` are the same as floats, NaN where units are too fine for one.
    """

    __slots__ = ("_one", "_scale", "_unit")

    def __init__(self) -> None:
        self._one, self._scale, self._unit = 1, 1.0, 1.0

    def _count(self, term: float) -> int:
        """Return how many units a term is, which may make them finer.

        Raises:
            ValueError, OverflowError: the term is not finite.
        """
        scaled = term * self._scale  # exact, if it is finite: a power of two
        return int(scaled) if scaled.is_integer() else self._finely(term)

    def _finely(self, term: float) -> int:
        numerator, denominator = term.as_integer_ratio()
        if denominator > self._one:
            before, self._one = self._one, denominator * SPARE
            coarse = self._one <= COARSE
            self._scale, self._unit = (float(self._one), 1 / self._one) if coarse else (nan, nan)
            self._refine(self._one // before)
        return numerator * (self._one // denominator)

    def _rounded(self, totals: list[int]) -> list[float]:
        """Return so many units each, correctly rounded.

        An integer is rounded as it becomes a float, and the product with a power of two is exact.

        Raises:
            OverflowError: no float is so large.
        """
        if self._one <= COARSE:
            unit = self._unit
            try:
                return [total * unit for total in totals]
            except OverflowError:  # too many units for a float, though the sum may be one
                pass
        return [total / self._one for total in totals]

    @abstractmethod
    def _refine(self, times: int) -> None:
        """Go over to units so many times finer."""


class Exact(_Counted):
    """The sum of some finite floats.

    >>> Exact([1e16, 1.0, -1e16]).value
    1.0
    """

    __slots__ = ("_total",)

    def __init__(self, terms: Iterable[float] = ()) -> None:
        super().__init__()
        self._total = 0
        for term in terms:
            self.add(term)

    def add(self, term: float) -> None:
        """Add a term; raises ``ValueError`` or ``OverflowError`` for one that is not finite."""
        count = self._count(term)
        self._total += count

    @property
    def value(self) -> float:
        """The sum, correctly rounded; raises ``OverflowError`` where no float is so large."""
        return self._rounded([self._total])[0]

    def plus(self, other: "Exact") -> float:
        """Return the sum of both, rounded once."""
        if self._one < other._one:
            return other.plus(self)
        return self._rounded([self._total + other._total * (self._one // other._one)])[0]

    def _refine(self, times: int) -> None:
        self._total *= times


class Trailing(_Counted):
    """Exact sums over the last terms of a row of them, which may have gaps.

    ``reaches`` say over how many places each sum goes back. A push costs the same whatever they
    are; memory is one integer for each place of the longest.

    >>> trailing = Trailing((1, 3))
    >>> for term in (1.0, None, 2.5, 4.0):
    ...     trailing.push(term)
    >>> trailing.sums()
    [(4.0, 1), (6.5, 2)]
    """

    __slots__ = ("_at", "_counts", "_reaches", "_ring", "_totals")

    def __init__(self, reaches: Sequence[int]) -> None:
        super().__init__()
        self._reaches = tuple(enumerate(reaches))
        self._ring: list[int | None] = [None] * max(reaches)
        self._at = 0
        self._totals, self._counts = [0] * len(reaches), [0] * len(reaches)

    def push(self, term: float | None) -> None:
        """Append a term, None where the place has none; the oldest of each reach leaves its sum.

        Raises:
            ValueError, OverflowError: the term is not finite.
        """
        new = None if term is None else self._count(term)
        ring, at, totals, counts = self._ring, self._at, self._totals, self._counts
        for k, reach in self._reaches:
            if (gone := ring[at - reach]) is not None:  # where at < reach it counts from the end
                totals[k] -= gone
                counts[k] -= 1
            if new is not None:
                totals[k] += new
                counts[k] += 1
        ring[at] = new
        self._at = (at + 1) % len(ring)

    def sums(self) -> list[tuple[float, int]]:
        """Return by reach the sum, correctly rounded, and the number of its terms."""
        totals, counts = self._rounded(self._totals), self._counts
        return [(totals[k], counts[k]) for k, _ in self._reaches]

    def _refine(self, times: int) -> None:
        self._ring = [None if units is None else units * times for units in self._ring]
        self._totals = [total * times for total in self._totals]

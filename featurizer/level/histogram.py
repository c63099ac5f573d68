"""Volatilities counted in cells of equal ratio: integers, so that no order can show.

There are 640 cells of ratio 2^(1/32) from 1e-7 on, so up to 0.1048576, and one more at either end.
"""

from bisect import bisect_right
from collections.abc import Iterable
from math import ldexp
from typing import Final

OCTAVE: Final = (
    1e-07,
    1.0218971486541167e-07,
    1.0442737824274139e-07,
    1.0671404006768236e-07,
    1.0905077326652577e-07,
    1.1143867425958925e-07,
    1.1387886347566917e-07,
    1.1637248587775775e-07,
    1.189207115002721e-07,
    1.215247359980469e-07,
    1.241857812073484e-07,
    1.2690509571917333e-07,
    1.2968395546510095e-07,
    1.3252366431597413e-07,
    1.3542555469368926e-07,
    1.383909881963832e-07,
    1.4142135623730952e-07,
    1.4451808069770466e-07,
    1.4768261459394992e-07,
    1.5091644275934226e-07,
    1.5422108254079408e-07,
    1.5759808451078865e-07,
    1.6104903319492543e-07,
    1.6457554781539648e-07,
    1.6817928305074292e-07,
    1.7186192981224778e-07,
    1.7562521603732994e-07,
    1.7947090750031072e-07,
    1.8340080864093425e-07,
    1.8741676341103e-07,
    1.9152065613971473e-07,
    1.9571441241754003e-07,
)
"""1e-7 · 2^(k/32), each correctly rounded: literals, as no two libraries agree on the last bit."""
CELLS: Final = 640
EDGES: Final = tuple(ldexp(OCTAVE[k % 32], k // 32) for k in range(CELLS + 1))
"""``EDGES[c]`` is the upper edge of cell ``c``, not itself in it; doubling is exact."""
UNDERFLOW: Final = 0
"""The cell of all below 1e-7: of a quote that stood still."""
OVERFLOW: Final = CELLS + 1
"""The cell of all from 0.1048576 on; it has no upper edge."""

Cells = tuple[tuple[int, int], ...]
"""Cells that have a count, each with it, in their order."""


def cell_of(volatility: float) -> int:
    """Return the cell that a volatility (log return) is counted in.

    >>> [cell_of(v) for v in (0.0, 1e-7, 0.1, 0.2)] == [UNDERFLOW, 1, 638, OVERFLOW]
    True
    """
    return bisect_right(EDGES, volatility)


class Histogram:
    """Counts by cell, to which more can be added, and from which they can be taken."""

    __slots__ = ("_counts", "n")

    def __init__(self, parts: Iterable[Cells] = ()) -> None:
        self._counts = [0] * (CELLS + 2)
        self.n = 0
        for cells in parts:
            self.add(cells)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]

    def count(self, cell: int) -> None:
        """Count one volatility."""
        self._counts[cell] += 1
        self.n += 1

    def add(self, cells: Cells, times: int = 1) -> None:
        """Add counts, or with ``times`` of -1 take them away."""
        for cell, count in cells:
            self._counts[cell] += times * count
            self.n += times * count

    @property
    def zeros(self) -> int:
        """How many were too small for the first cell."""
        return self._counts[UNDERFLOW]

    def below(self, volatility: float) -> int:
        """Return how many were counted in cells below that of a volatility."""
        return sum(self._counts[: cell_of(volatility)])

    @property
    def cells(self) -> Cells:
        """Return the cells that have a count."""
        return tuple((cell, count) for cell, count in enumerate(self._counts) if count)

    def p90(self) -> float | None:
        """Return the upper edge of the first cell whose cumulated count reaches ⌈0.9 n⌉.

        None for no counts, and in the overflow cell, which has no upper edge.
        """
        wanted, cumulated = -(-9 * self.n // 10), 0
        for edge, count in zip(EDGES, self._counts, strict=False):
            cumulated += count
            if cumulated >= wanted:
                return edge if self.n else None
        return None

"""How good scores are as probabilities: what they said beside what came.

From arrays, or from sums that can be added up hour by hour.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import log, sqrt
from typing import Final

import msgspec
import numpy as np

from signals.seconds import Flags, Floats, Ints

BINS: Final = 10
"""Of equal width, from 0 to 1."""
CELLS: Final = 512
"""Of equal width in the root of a chance: fine where chances are small, as those of 2τ are."""


class Bin(msgspec.Struct, frozen=True):
    """Scores of a tenth of the scale: how many, their mean, and the share that came."""

    n: int
    said: float
    came: float


class Probabilities(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of scores that have an outcome; all null where there are none.

    ``said`` is their mean, ``came`` the share of outcomes, which is the prevalence beside
    ``pr_auc``, null where none came. ``ece`` is the mean distance of the two over ``bins``.
    ``log_loss`` is in nats, null for what says 0 or 1, as a rule does. Of sums, ``pr_auc`` takes
    chances in one of ``CELLS`` as equal.
    """

    n: int
    said: float | None
    came: float | None
    brier: float | None
    log_loss: float | None
    ece: float | None
    pr_auc: float | None
    bins: tuple[Bin, ...]


def probabilities(score: Floats, came: Flags) -> Probabilities:
    """Return the figures of scores [n] from 0 to 1, and of what came [n].

    >>> found = probabilities(np.array([0.2, 0.4]), np.array([False, True]))
    >>> round(found.said, 6), found.came, round(found.brier, 6), round(found.ece, 6)
    (0.3, 0.5, 0.2, 0.4)
    """
    if not len(score):
        return Probabilities(
            n=0, said=None, came=None, brier=None, log_loss=None, ece=None, pr_auc=None, bins=()
        )
    bins = reliability(score, came)
    return Probabilities(
        n=len(score),
        said=float(score.mean()),
        came=float(came.mean()),
        brier=float(np.mean((score - came) ** 2)),
        log_loss=_log_loss(score, came),
        ece=sum(each.n * abs(each.said - each.came) for each in bins) / len(score),
        pr_auc=average_precision(score, came),
        bins=bins,
    )


def _log_loss(score: Floats, came: Flags) -> float | None:
    if score.min() <= 0 or score.max() >= 1:
        return None
    return float(-np.mean(np.log(np.where(came, score, 1.0 - score))))


def reliability(score: Floats, came: Flags) -> tuple[Bin, ...]:
    """Return the tenths of the scale that hold scores."""
    at = np.minimum((score * BINS).astype(np.int64), BINS - 1)
    groups = (at == each for each in np.unique(at))
    return tuple(
        Bin(int(group.sum()), float(score[group].mean()), float(came[group].mean()))
        for group in groups
    )


def average_precision(score: Floats, came: Flags) -> float | None:
    """Return the mean precision over the steps of recall, equal scores together."""
    if not came.any():
        return None
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    return _mean_precision(np.cumsum(came[order])[ends], ends + 1)


def _mean_precision(hits: Ints, said: Ints) -> float:
    """Return it from how many came, and how many there are, at each score or above."""
    steps = np.diff(hits, prepend=0) / hits[-1]
    return float(np.sum(steps * hits / said))


def cell_of(chance: float) -> int:
    """Return the cell of a chance from 0 to 1.

    >>> cell_of(0.0), cell_of(0.01), cell_of(1.0)
    (0, 51, 511)
    """
    return min(int(sqrt(chance) * CELLS), CELLS - 1)


def cell_precision(cells: Mapping[int, tuple[int, int]]) -> float | None:
    """Return ``average_precision`` of chances counted by cell, (n, came), those of one equal."""
    counts = np.array([cells[at] for at in sorted(cells, reverse=True)], np.int64).reshape(-1, 2)
    said, hits = np.cumsum(counts, axis=0).T
    return _mean_precision(hits, said) if hits.size and hits[-1] else None


@dataclass(slots=True)
class Sums:
    """Of chances from 0 to 1 that have an outcome: how many, and sums of what figures are made of.

    ``bins`` are (n, said, came) of each tenth of the scale, ``cells`` (n, came) of each of
    ``CELLS`` that holds any. ``certain`` counts those of 0 or 1, which have no log loss.
    """

    n: int = 0
    said: float = 0.0
    came: int = 0
    squared: float = 0.0
    log_loss: float = 0.0
    certain: int = 0
    bins: list[tuple[int, float, int]] = field(default_factory=lambda: [(0, 0.0, 0)] * BINS)
    cells: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, chance: float, came: bool) -> None:
        """Count one."""
        self.n, self.said, self.came = self.n + 1, self.said + chance, self.came + came
        self.squared += (chance - came) ** 2
        if 0.0 < chance < 1.0:
            self.log_loss -= log(chance if came else 1.0 - chance)
        else:
            self.certain += 1
        at = min(int(chance * BINS), BINS - 1)
        n, said, of = self.bins[at]
        self.bins[at] = n + 1, said + chance, of + came
        self.count(cell_of(chance), 1, int(came))

    def count(self, cell: int, n: int, came: int) -> None:
        """Count so many of a cell, and how many of these came."""
        others, hits = self.cells.get(cell, (0, 0))
        self.cells[cell] = others + n, hits + came

    def figures(self) -> Probabilities:
        """Return the figures.

        >>> found = Sums()
        >>> found.add(0.2, False)
        >>> found.add(0.4, True)
        >>> round(found.figures().said, 6), found.figures().came, found.figures().pr_auc
        (0.3, 0.5, 1.0)
        """
        n = self.n
        bins = tuple(Bin(k, said / k, came / k) for k, said, came in self.bins if k)
        return Probabilities(
            n=n,
            said=self.said / n if n else None,
            came=self.came / n if n else None,
            brier=self.squared / n if n else None,
            log_loss=self.log_loss / n if n and not self.certain else None,
            ece=sum(b.n * abs(b.said - b.came) for b in bins) / n if n else None,
            pr_auc=cell_precision(self.cells),
            bins=bins,
        )


def together(several: Iterable[Sums]) -> Sums:
    """Return the sums of several."""
    found = Sums()
    for each in several:
        for name in ("n", "said", "came", "squared", "log_loss", "certain"):
            setattr(found, name, getattr(found, name) + getattr(each, name))
        found.bins = [_bin(*pair) for pair in zip(found.bins, each.bins, strict=True)]
        for cell, (n, came) in each.cells.items():
            found.count(cell, n, came)
    return found


def _bin(one: tuple[int, float, int], other: tuple[int, float, int]) -> tuple[int, float, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]

"""Splitters for rows that stand in time: what is learned from never overlaps what is tested.

They are scikit-learn splitters, made for the rows they split: anything with ``split`` and
``get_n_splits`` can be the ``cv`` of a search. Purge: a training row goes when its label's time
meets the test part's. Embargo: one that follows the test part within 300 s goes too, since its
features still look back into it. (López de Prado, Advances in Financial Machine Learning, 7.4)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from featurizer.slots import MICROSECONDS
from training.errors import FitError

EMBARGO: Final = 300
"""The longest look-back of a feature, in seconds."""
INSIDE: Final = 1800
"""Usable seconds from which a capture is long enough to be walked through inside."""

Times = npt.NDArray[np.int64]
Indices = npt.NDArray[np.intp]
Fold = tuple[Indices, Indices]


def label_end_us(time_us: Times) -> Times:
    """Return the event time up to which a row's label looks: the end of second s+60."""
    return (time_us // MICROSECONDS + HORIZON + 1) * MICROSECONDS


def purged(time_us: Times, test: Indices, embargo: int = EMBARGO) -> Indices:
    """Return the rows that may be learned from when ``test`` is tested.

    ``time_us`` are the rows' event times in any order, ``embargo`` is in seconds.
    The test part is the whole time from its first row to the end of its last label.
    """
    first = time_us[test].min()
    last = label_end_us(time_us[test]).max()
    before = label_end_us(time_us) <= first
    after = time_us >= last + embargo * MICROSECONDS
    return np.flatnonzero(before | after)


@dataclass(frozen=True, slots=True)
class PurgedBlocks:
    """Cut the rows into ``n_splits`` blocks of time; test each, learn from the others, purged.

    A second is never cut, so that all products of a second stand in one block.
    """

    time_us: Times
    n_splits: int = 5
    embargo: int = EMBARGO

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Return (training, test) positions; blocks come in order of time."""
        _check_rows(X, self.time_us)
        second = self.time_us // MICROSECONDS
        seconds = np.unique(second)
        if len(seconds) < self.n_splits:
            raise FitError(f"found {len(seconds)} seconds, expected at least {self.n_splits}")
        for block in np.array_split(seconds, self.n_splits):
            test = np.flatnonzero((second >= block[0]) & (second <= block[-1]))
            yield purged(self.time_us, test, self.embargo), test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of blocks."""
        return self.n_splits


@dataclass(frozen=True, slots=True)
class LeaveOneGroupOut:
    """Test each group of captures; learn from the others, purged.

    ``group`` numbers the rows' group: an interval of time with all its products,
    since their volatility moves together.
    """

    time_us: Times
    group: Indices
    embargo: int = EMBARGO

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Return (training, test) positions, a fold for each group in order of its number."""
        _check_rows(X, self.time_us)
        for number in np.unique(self.group):
            test = np.flatnonzero(self.group == number)
            yield purged(self.time_us, test, self.embargo), test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of groups."""
        return len(np.unique(self.group))


@dataclass(frozen=True, slots=True)
class WalkForward:
    """Test each capture by what came before it; a long one is walked through in pieces.

    ``group`` numbers the rows' group in order of time. A group of ``inside`` usable seconds or
    more is cut into pieces of about half as many. A training row stays when its label ends
    ``embargo`` seconds before the test part, so that no tested feature looks back into it.
    The first piece is never tested: nothing came before it.
    """

    time_us: Times
    group: Indices
    inside: int = INSIDE
    embargo: int = EMBARGO

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Fold]:
        """Return (training, test) positions in order of time; a training part may be empty."""
        _check_rows(X, self.time_us)
        ends = label_end_us(self.time_us) + self.embargo * MICROSECONDS
        for test in self._pieces()[1:]:
            yield np.flatnonzero(ends <= self.time_us[test].min()), test

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of pieces after the first."""
        return len(self._pieces()) - 1

    def _pieces(self) -> list[Indices]:
        second, found = self.time_us // MICROSECONDS, []
        for number in np.unique(self.group):
            own = self.group == number
            seconds = np.unique(second[own])
            count = 2 * len(seconds) // self.inside if len(seconds) >= self.inside else 1
            for piece in np.array_split(seconds, count):
                inside = (second >= piece[0]) & (second <= piece[-1])
                found.append(np.flatnonzero(own & inside))
        return sorted(found, key=lambda rows: int(self.time_us[rows].min()))


def groups_of(spans: Sequence[tuple[int, int]]) -> list[int]:
    """Number the captures by the interval of time they share with others, in order of time.

    ``spans`` are each capture's first and last event time (microseconds). Captures closer than
    the embargo share a number: a label or look-back would reach from one into the other.

    >>> groups_of([(0, 10), (900_000_000, 950_000_000), (5, 20)])
    [0, 1, 0]
    """
    numbers = [0] * len(spans)
    reach, number = None, -1
    for at in sorted(range(len(spans)), key=lambda i: spans[i]):
        first, last = spans[at]
        if reach is None or first > reach + EMBARGO * MICROSECONDS:
            number += 1
        reach = last if reach is None else max(reach, last)
        numbers[at] = number
    return numbers


def _check_rows(X: Any, time_us: Times) -> None:
    if len(X) != len(time_us):
        raise FitError(f"found {len(X)} rows to split, expected {len(time_us)}")

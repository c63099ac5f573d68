"""What columns of a batch are made of, and the logarithm that the engine takes."""

from collections.abc import Sequence
from math import log
from operator import attrgetter
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


def logs(numbers: Floats) -> Floats:
    """Return natural logarithms to the bits of ``math.log``, NaN of NaN.

    numpy has its own, which differs in the last bit here and there.
    """
    return np.fromiter(map(log, numbers.tolist()), np.float64, len(numbers))


def numbers(values: Sequence[object], *names: str) -> Floats:
    """Return two fields or more as columns [names, values], NaN for None."""
    rows = map(attrgetter(*names), values)
    flat = np.array([number for row in rows for number in row], np.float64)
    return flat.reshape(len(values), len(names)).T


def prefixed(counts: npt.NDArray[np.generic]) -> Ints:
    """Return the sums of the first 0, 1, 2 … of them."""
    found = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=found[1:])
    return found

"""Usable rows as arrays.

One row per product and second, its last, counts everywhere: in training, τ and every metric.
"""

from dataclasses import dataclass, field
from math import nan

import numpy as np
import numpy.typing as npt

from featurizer.features import NAMES
from featurizer.slots import MICROSECONDS


@dataclass(frozen=True, slots=True)
class Table:
    """Usable rows as arrays of one length, in order of time, then product: one a second, its last.

    ``features`` is [n, width] in the order of ``NAMES``, NaN where unknown; ``volatility`` that of
    the next 60 s (log return); ``capture`` the number of the capture a row comes from, ``group``
    that of the interval of time it shares with others (by default its capture's);
    ``mid`` the row's own (quote currency, NaN where not kept); ``tau`` the level in force at the
    row (log return over 60 s, NaN where there was none).
    """

    features: npt.NDArray[np.float64]
    product: npt.NDArray[np.str_]
    time_us: npt.NDArray[np.int64]
    volatility: npt.NDArray[np.float64]
    capture: npt.NDArray[np.intp]
    group: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    mid: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    tau: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))

    def __post_init__(self) -> None:
        """Fill what was not given."""
        if len(self.group) != len(self):
            object.__setattr__(self, "group", self.capture)
        for name in ("mid", "tau"):
            if len(getattr(self, name)) != len(self):
                object.__setattr__(self, name, np.full(len(self), nan))

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def second(self) -> npt.NDArray[np.int64]:
        """Return the epoch second of each row."""
        return self.time_us // MICROSECONDS

    def take(self, at: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Table":
        """Return the rows at these positions."""
        return Table(*(getattr(self, name)[at] for name in self.__slots__))

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return one feature of all rows."""
        return self.features[:, NAMES.index(name)]

    def in_order(self) -> "Table":
        """Return the rows in order of time, then product, then capture."""
        return self.take(np.lexsort((self.capture, self.product, self.time_us)))

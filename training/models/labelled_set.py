"""What a model learns from: rows, which of them are spikes, and by how much."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data.rows import Table
from training.data.thresholds import Flags, Scores, Tau, limits_of, spikes_of
from training.models.forecast import FLOOR


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Rows in order of time; ``excess`` is ln(RV/τ): above 0 where a spike followed."""

    table: Table
    spikes: Flags
    excess: Scores

    @classmethod
    def of(cls, table: Table, tau: Tau) -> "LabelledSet":
        """Return each row with whether, and by how much, its next 60 s reached its τ."""
        limit = limits_of(table, tau)
        excess = np.log(np.maximum(table.volatility, FLOOR) / np.maximum(limit, FLOOR))
        return cls(table, spikes_of(table, tau), excess)

    def __len__(self) -> int:
        return len(self.table)

    def take(self, at: npt.NDArray[np.intp] | Flags) -> "LabelledSet":
        """Return the rows at these positions."""
        return LabelledSet(self.table.take(at), self.spikes[at], self.excess[at])

    @property
    def two_classes(self) -> bool:
        """Whether there are rows with a spike and rows without."""
        return len(np.unique(self.spikes)) == 2

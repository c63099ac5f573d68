"""What is to be learned: rows, which of them are spikes, and what belongs together."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data.rows import Table
from training.data.thresholds import TAU_PERCENTILE, Flags, episodes_of, learned_products, tau_of
from training.errors import FitError
from training.models.labelled_set import LabelledSet


@dataclass(frozen=True, slots=True)
class LearningProblem:
    """``tau`` (log return over 60 s) and ``learned``, the products learned from, are the
    promotion's: one question for all candidates and folds.
    """

    labelled: LabelledSet
    tau: Mapping[str, float]
    learned: tuple[str, ...]
    tau_percentile: float

    @classmethod
    def of(cls, table: Table, tau_percentile: float = TAU_PERCENTILE) -> "LearningProblem":
        """Set τ from all rows, and with it the spikes.

        Raises:
            FitError: the rows have a single class, as a market that stands still has.
        """
        tau = tau_of(table, tau_percentile)
        labelled = LabelledSet.of(table, tau)
        if not labelled.two_classes:
            found = f"{int(labelled.spikes.sum())} spikes in {len(labelled)} rows"
            raise FitError(f"found {found} at τ {tau}, expected both")
        learned = learned_products(table, labelled.spikes, table.group)
        return cls(labelled, tau, tuple(learned), tau_percentile)

    @property
    def table(self) -> Table:
        """All rows."""
        return self.labelled.table

    @property
    def spikes(self) -> Flags:
        """Which rows are spikes."""
        return self.labelled.spikes

    @property
    def group(self) -> npt.NDArray[np.intp]:
        """Each row's group: an interval of time with all its products."""
        return self.table.group

    @property
    def core(self) -> Flags:
        """Which rows are of the products learned from."""
        return np.isin(self.table.product, self.learned)

    def training_part(self) -> LabelledSet:
        """Return the rows that the final fit learns from."""
        return self.labelled.take(self.core)

    def episodes(self, rows: Flags) -> int:
        """Count the spikes that stand apart, over the products of these rows."""
        table = self.table
        return sum(
            episodes_of(table.time_us[own], self.spikes[own])
            for own in (rows & (table.product == product) for product in np.unique(table.product))
        )

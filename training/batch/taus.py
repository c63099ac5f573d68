"""The level in force at each second, of a run that is moved on bin by bin."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from featurizer.level.histogram import EDGES, Cells
from featurizer.level.level import STATUSES
from featurizer.level.records import BIN_SECONDS
from featurizer.level.run import Run
from training.batch.columns import Floats, Ints


@dataclass(frozen=True, slots=True)
class Taus:
    """By slot the level (log return over 60 s), NaN where there is none, and its status' number."""

    tau: Floats
    status: npt.NDArray[np.int8]


def taus_of(second: Ints, volatility: Floats, begun: int, run: Run) -> Taus:
    """Return the levels of all slots; those before ``begun`` are counted in the run already.

    The run goes on to the last bin. A slot counts once a later one has begun.
    """
    number = second // BIN_SECONDS
    turns = begun + 1 + np.flatnonzero(np.diff(number[begun:]))
    found = Taus(np.full(len(second), np.nan), np.zeros(len(second), np.int8))
    _stand(found, begun, run)
    before = begun
    for at in turns.tolist():
        run.leap(_cells(volatility[before:at]), int(second[at - 1]), int(second[at]))
        _stand(found, at, run)
        before = at
    return found


def _stand(found: Taus, first: int, run: Run) -> None:
    tau = run.level.tau
    found.tau[first:] = np.nan if tau is None else tau
    found.status[first:] = STATUSES.index(run.level.status)


def _cells(volatility: Floats) -> Cells:
    counted = volatility[~np.isnan(volatility)]
    cells, counts = np.unique(np.searchsorted(EDGES, counted, side="right"), return_counts=True)
    return tuple(zip(cells.tolist(), counts.tolist(), strict=True))

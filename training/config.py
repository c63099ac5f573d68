"""Settings of training, read once, in ``__main__``."""

from pathlib import Path

from pydantic import Field

from promotion.config import PromotionSettings
from training.data.dataset import SEALED
from training.data.parallel import BackendName, Place
from training.data.thresholds import TAU_PERCENTILE


class TrainingSettings(PromotionSettings):
    """What training reads, leaves alone and writes; the command line goes before these."""

    data: list[Path] = Field(default=[])
    """Recordings, or folders of them (JSON list)."""

    sealed: list[str] = Field(default=list(SEALED))
    """Names, without suffix, of recordings that are never read (JSON list)."""

    tau_percentile: float = TAU_PERCENTILE
    """Percentile of volatility at which a spike begins."""

    backend: BackendName = "processes"
    """Where dataset and grid run: ``processes``, ``sequential``, or ``dask``."""

    jobs: int = -1
    """How many tasks run at once; -1: as many as there is room for."""

    dask_address: str = ""
    """The Dask scheduler's address for ``dask``, such as tcp://scheduler:8786."""

    @property
    def place(self) -> Place:
        """Where tasks run."""
        return Place(self.backend, self.jobs, self.dask_address)

"""Settings of training, read once, in ``__main__``."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from plumbing.known_settings import KnownSettings
from plumbing.renamed_settings import RenamedSettings
from promotion.config import PromotionSettings
from training.data.dataset import HOLDOUT
from training.data.parallel import BackendName, Executor
from training.data.thresholds import TAU_PERCENTILE


class TrainingSettings(RenamedSettings, KnownSettings, PromotionSettings):
    """What training reads, leaves alone and writes; the command line goes before these."""

    renamed: ClassVar[Mapping[str, str]] = {"holdout": "TRAINING_SEALED"}

    data: list[Path] = Field(default=[])
    """Recordings, or folders of them (JSON list)."""

    holdout: list[str] = Field(default=list(HOLDOUT))
    """Names, without suffix, of recordings held out: never read (JSON list)."""

    tau_percentile: float = TAU_PERCENTILE
    """Percentile of volatility at which a spike begins."""

    backend: BackendName = "processes"
    """Where dataset and search run: ``processes``, ``sequential``, or ``dask``."""

    jobs: int = -1
    """How many tasks run at once; -1: as many as there is room for."""

    dask_address: str = ""
    """The Dask scheduler's address for ``dask``, such as tcp://scheduler:8786."""

    @property
    def executor(self) -> Executor:
        """Where tasks run."""
        return Executor(self.backend, self.jobs, self.dask_address)

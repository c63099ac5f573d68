"""Settings of training, read once, in ``__main__``."""

from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from training.cutoffs import TAU_PERCENTILE
from training.dataset import SEALED
from training.parallel import BackendName, Place


class TrainingSettings(BaseSettings):
    """What training reads, leaves alone and writes; the command line goes before these."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINING_",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    data: list[Path] = []
    """Recordings, or folders of them (JSON list)."""

    out: Path = Path("model-settings")
    """Folder that gets the model folders ``ml`` and ``baseline``."""

    sealed: list[str] = list(SEALED)
    """Names, without suffix, of recordings that are never read (JSON list)."""

    tau_percentile: float = TAU_PERCENTILE
    """Percentile of volatility at which a spike begins."""

    backend: BackendName = "processes"
    """Where dataset and grid run: ``processes``, ``sequential``, or ``dask``."""

    jobs: int = -1
    """How many tasks run at once; -1: as many as there is room for."""

    dask_address: str = ""
    """The Dask scheduler's address for ``dask``, such as tcp://scheduler:8786."""

    runs: Path = Path(".run/training")
    """Folder that gets a run folder for each training."""

    models: Path = Path(".run/models")
    """Folder that keeps the models of every promotion, by digest, to go back to."""

    tracking_uri: str = Field(
        default="",
        validation_alias=AliasChoices("TRAINING_TRACKING_URI", "MLFLOW_TRACKING_URI"),
    )
    """MLflow's server or store, also as ``MLFLOW_TRACKING_URI``; empty: SQLite in ``tracking``."""

    tracking: Path = Path(".run/mlflow")
    """Folder of MLflow's SQLite file and artifacts, where ``tracking_uri`` is empty."""

    @property
    def place(self) -> Place:
        """Where tasks run."""
        return Place(self.backend, self.jobs, self.dask_address)

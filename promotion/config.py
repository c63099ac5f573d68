"""Settings of promotion, read once, in ``__main__``; training reads the same and more."""

from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PromotionSettings(BaseSettings):
    """Where models, runs and MLflow are; the command line goes before these.

    The variables begin with ``TRAINING_``: training and promotion share these folders.
    """

    model_config = SettingsConfigDict(
        env_prefix="TRAINING_",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    out: Path = Path("model-settings")
    """Folder that gets the model folders ``ml`` and ``baseline``."""

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

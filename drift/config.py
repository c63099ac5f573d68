"""Settings of the drift process, from ``DRIFT_…`` in the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host


class Settings(KnownSettings):
    """Read once, at the start. Window and thresholds are no settings: see docs/drift.md."""

    model_config = SettingsConfigDict(
        env_prefix="DRIFT_", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )

    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("DRIFT"))
    """Address to listen on; `LISTEN_HOST` sets that of all services."""
    port: int = 8091
    """Port of HTTP: the report, probes, metrics."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    models: Path = Path("model-settings")
    """Folder of model folders; each brings the training rows to compare with."""
    every_seconds: float = Field(default=300.0, ge=1)
    """Seconds from one comparison to the next."""
    most_records: int = Field(default=400_000, ge=10_000)
    """At most so many records of each topic are read for one comparison."""

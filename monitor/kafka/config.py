"""Settings of the broker's exporter, from ``KAFKA_METRICS_…`` in the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host


class Settings(KnownSettings):
    """Of `python -m monitor kafka`."""

    model_config = SettingsConfigDict(
        env_prefix="KAFKA_METRICS_",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("KAFKA_METRICS"))
    """Address to listen on; `LISTEN_HOST` sets that of all services."""
    port: int = 9104
    """Port of probes and metrics."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    every_seconds: float = Field(default=15.0, ge=1)
    """Seconds from one look at the broker to the next."""

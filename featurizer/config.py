"""Settings of the featurizer, by environment variables with the prefix ``FEATURIZER_``."""

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from featurizer.level.seeds import packaged_seeds, read_seeds
from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host


class Settings(KnownSettings):
    """What an operator may choose; read once, in ``__main__``."""

    model_config = SettingsConfigDict(
        env_prefix="FEATURIZER_",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("FEATURIZER"))
    """Address of /healthz, /readyz and /metrics; `LISTEN_HOST` sets that of all services."""
    port: int = 9102
    """Port of /healthz, /readyz and /metrics; 0 takes a free one."""
    group: str = "featurizer"
    """Consumer group on the topic `ticks`; the Kafka topic prefix is put before it."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    fetch_max_wait_ms: int = 100
    """How long the broker may hold a fetch while nothing new comes; a new tick ends the wait."""
    rebuild_deadline_seconds: float = 60.0
    """How long reading back may take before rows go on with what was read until then."""
    seeds: str = ""
    """Levels to begin with, instead of the package's: a JSON array of `product`, `tau`, `source`,
    `days` and, for feeds with one, `label`; see docs/levels.md."""

    @field_validator("seeds")
    @classmethod
    def _readable(cls, text: str) -> str:
        """Refuse what cannot be read, and put the package's where there is nothing."""
        text = text or packaged_seeds()
        read_seeds(text)
        return text

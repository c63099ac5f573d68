"""Settings of the scorer."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host
from serving.control import Variant


class Settings(KnownSettings):
    """Read once from the environment, ``SCORER_…``."""

    model_config = SettingsConfigDict(
        env_prefix="SCORER_", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )

    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("SCORER"))
    """Address of /healthz, /readyz and /metrics; `LISTEN_HOST` sets that of all services."""
    port: int = 9103
    """Port of /healthz, /readyz and /metrics."""
    group: str = "scorer"
    """Consumer group on `features`."""
    model_url: str = "http://127.0.0.1:8080"
    """Base URL of the V2 model server."""
    model_timeout_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How long the variant that serves may take for a batch; then it counts as away."""
    shadow_timeout_seconds: Annotated[float, Field(gt=0)] = 1.0
    """How long a shadow may take; predictions go out without it after that."""
    variant: Variant = "ml"
    """The variant that serves until the topic `control` says another."""
    shadows: tuple[Variant, ...] | None = None
    """Variants scored beside it for comparison, as a JSON list; unset: all others."""
    follow_control: bool = True
    """Whether to follow the topic `control`."""
    max_rows: Annotated[int, Field(ge=1, le=1000)] = 1000
    """Most rows of one request to the model."""
    retry_first_seconds: Annotated[float, Field(gt=0)] = 0.1
    """Longest first delay before a batch is tried again when the model is away; it doubles."""
    retry_longest_seconds: Annotated[float, Field(gt=0)] = 2.0
    """Longest such delay."""
    log_level: str = "INFO"
    """Least level of our own log lines."""

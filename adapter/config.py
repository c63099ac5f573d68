"""Settings of the adapter."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from adapter.schema import MOST_ROWS
from plumbing.clients import ClientRegistry, clients_of, networks_of
from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host
from serving.control import Variant


class Settings(KnownSettings):
    """Read once from the environment, ``ADAPTER_…``."""

    model_config = SettingsConfigDict(
        env_prefix="ADAPTER_", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )

    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("ADAPTER"))
    """Address to listen on; `LISTEN_HOST` sets that of all services."""
    port: int = 8000
    """Port of everything: /predict, V2, /health, /metrics and the probes."""
    model_url: str = "http://127.0.0.1:8080"
    """Base URL of the V2 model server."""
    model_timeout_seconds: Annotated[float, Field(gt=0)] = 2.0
    """How long one request to the model may take; above it the model counts as away."""
    variant: Variant = "ml"
    """The variant that serves until the topic `control` says another."""
    feed_dialect: Literal["advanced", "exchange"] = "advanced"
    """The dialect of the feed that rows come from; /health warns of a model trained on another."""
    follow_control: bool = True
    """Whether to follow the topic `control`; without Kafka the variant above serves."""
    baseline_fallback: bool = False
    """Whether the adapter answers by the baseline itself when the model is away (else 503)."""
    baseline_dir: Path = Path("model-settings/baseline")
    """Model folder of the baseline, for the fallback."""
    rate_limit: str = "100/minute"
    """Requests that one client may send to /predict and V2 inference, counted per replica."""
    api_keys: SecretStr = SecretStr("")
    """API keys as name:key,name:key; empty: no key is asked for, a client is its address."""
    prober_key: SecretStr = SecretStr("")
    """Key of the monitor's prober, which is counted apart from other clients."""
    trusted_proxy_hops: Annotated[int, Field(ge=0)] = 0
    """How many proxies of our own append to X-Forwarded-For; 0: the header is not believed."""
    trusted_proxies: str = ""
    """Networks that these proxies are in, as 10.244.0.0/16,fd00::/8: of others the header is not
    believed; empty: whoever connects counts as one of them."""
    max_rows: Annotated[int, Field(ge=1)] = MOST_ROWS
    """Most rows of one request to /predict (413 above)."""
    max_body_bytes: Annotated[int, Field(ge=1)] = 1 << 20
    """Most bytes of one request body (413 above)."""
    receive_seconds: Annotated[float, Field(gt=0)] = 10.0
    """How long the head of a request may take to come, and its body (408 after that); also how
    long a client may leave an answer unread."""
    max_header_bytes: Annotated[int, Field(ge=1)] = 32 << 10
    """Most bytes of the head of a request: address and headers (431 above)."""
    max_bytes_in_flight: Annotated[int, Field(ge=1)] = 32 << 20
    """Most bytes of all request bodies that are on their way (503 above)."""
    retry_after_seconds: Annotated[int, Field(ge=1)] = 2
    """What Retry-After says when the model is away."""
    keep_alive_seconds: Annotated[int, Field(ge=1)] = 75
    """How long an idle connection of a client stays open, before a first request too; longer than
    clients and proxies keep theirs (5 to 60 s), or a request could meet the end of one."""
    drain_seconds: Annotated[float, Field(ge=0)] = 1.0
    """How long after SIGTERM requests are still taken, each answered with `Connection: close`,
    so that clients go elsewhere; ends at once when nobody is connected."""
    graceful_seconds: Annotated[int, Field(ge=0)] = 20
    """How long requests under way may take after that."""
    log_level: str = "INFO"
    """Least level of our own log lines."""

    @field_validator("rate_limit")
    @classmethod
    def _readable(cls, value: str) -> str:
        from limits import parse

        parse(value)
        return value

    @model_validator(mode="after")
    def _proxies_that_append(self) -> Self:
        if networks_of(self.trusted_proxies) and not self.trusted_proxy_hops:
            raise ValueError(
                f"found trusted_proxies {self.trusted_proxies} and trusted_proxy_hops 0,"
                " expected how many of them a request passes"
            )
        return self

    def clients(self) -> ClientRegistry:
        """Return who may ask, from the keys and the proxies."""
        return clients_of(
            self.api_keys.get_secret_value(),
            self.prober_key.get_secret_value(),
            self.trusted_proxy_hops,
            self.trusted_proxies,
        )

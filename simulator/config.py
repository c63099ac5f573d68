"""Settings of the simulator, from the environment and, over it, the command line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host

LONG_AGO: Final = datetime(2024, 1, 1, tzinfo=UTC)


class SimulatorSettings(KnownSettings):
    """What is played, how fast and where."""

    model_config = SettingsConfigDict(
        env_prefix="SIMULATOR_",
        frozen=True,
        env_ignore_empty=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("SIMULATOR"))
    """Address of the WebSocket and of the admin interface; `LISTEN_HOST` sets that of all
    services."""
    port: int = 8765
    """Port of the WebSocket; 0 takes a free one."""
    admin_port: int = 8766
    """Port of `/status`, `/healthz`, `/readyz` and `/metrics`; 0 takes a free one."""
    faults: bool = False
    """Whether `/faults` there lets the exchange fail on demand; the demo alone sets it."""
    recording: Path | None = None
    """Recording to replay; without one, a market is generated."""
    speed: float = Field(default=1.0, gt=0)
    """So many seconds of event time pass in one second."""
    loop: bool = False
    """Play again what is over, as a new feed."""
    seed: int = 7
    """Seed of the generated market."""
    volatility: Literal["moods", "wandering", "calm", "normal", "wild"] = "moods"
    """How the generated market's volatility moves: `moods` of minutes that follow each other;
    `wandering` with a memory of minutes to days, a daily shape and products correlated, as fitted
    to a month of Coinbase's minutes; or that held at the quantile 0.1, 0.5 or 0.97 of its own
    that `calm`, `normal` or `wild` names. All but `moods` stand in the feed's label, so that no
    level seeded for another market is theirs."""
    products: Annotated[tuple[str, ...], NoDecode] = ("BTC-USD", "ETH-USD")
    """Products of the generated market, separated by commas; a recording has its own."""
    start: datetime = LONG_AGO
    """Event time at which the generated market begins (UTC without a zone).
    Event time never passes the clock: at speed 20 the default lasts for weeks."""
    history_seconds: int = Field(default=0, ge=0, le=86_400)
    """Seconds before now at which the generated market begins, where neither `start` nor another
    speed than 1 is asked for. Each run sends them at full speed, with one frame a second for the
    tickers of a product and one for its trades, and then keeps to the clock; 0: none."""
    length: int | None = Field(default=None, ge=1)
    """Seconds of event time after which the generated market is over, as a recording is at its
    end; unset: it has no end. A recording has its own."""
    log_level: str = "INFO"
    """Least level that is logged."""

    @property
    def past_seconds(self) -> int:
        """Seconds of the past that each run begins with; 0 where event time is its own."""
        own = self.recording is not None or self.speed != 1 or "start" in self.model_fields_set
        return 0 if own else self.history_seconds

    @field_validator("products", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("products")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError(f"found products {value}, expected at least one, each once")
        return value

    @field_validator("start")
    @classmethod
    def _utc(cls, value: datetime) -> datetime:
        return value if value.tzinfo else value.replace(tzinfo=UTC)

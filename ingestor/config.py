"""Settings of the ingestor, from the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ingestor.advanced import CHANNELS, STATUS
from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host


class Settings(KnownSettings):
    """What the ingestor reads from ``INGESTOR_…``."""

    model_config = SettingsConfigDict(
        env_prefix="INGESTOR_", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )

    ws_url: str = "wss://advanced-trade-ws.coinbase.com"
    """WebSocket of the exchange or of a simulator, Advanced Trade dialect."""
    products: str = "BTC-USD"
    """Products to subscribe to, separated by commas."""
    channels: str = ",".join((*CHANNELS, STATUS))
    """Channels to subscribe to, separated by commas; without heartbeats silence is outage, without
    `market_trades` a ticker that stops cannot be told from a quiet market."""
    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("INGESTOR"))
    """Address on which probes and metrics are served; `LISTEN_HOST` sets that of all services."""
    port: int = 9101
    """Port of probes and metrics; 0 takes a free one."""
    queue_size: int = Field(default=10_000, ge=1)
    """Frames held between socket and Kafka; while it is full they go to the spill, and where there
    is none the socket is not read."""
    spill_dir: str | None = None
    """Folder of this process's own for frames that wait for Kafka beyond those; unset: none."""
    spill_bytes: int = Field(default=256 * 2**20, ge=2**20)
    """Largest size of the file there; while it is full, the socket is not read."""
    batch_size: int = Field(default=500, ge=1)
    """Frames published at most before they are acknowledged."""
    watchdog_seconds: float = Field(default=15.0, gt=0)
    """Wall-clock seconds without any frame after which the connection is closed."""
    backoff_first_seconds: float = Field(default=0.25, gt=0)
    """Longest first delay before connecting again; each next one may be twice as long."""
    backoff_cap_seconds: float = Field(default=30.0, gt=0)
    """Longest delay before connecting or publishing again."""
    healthy_seconds: float = Field(default=30.0, ge=0)
    """A connection that lasted this long lets the delays start afresh."""
    drain_seconds: float = Field(default=20.0, ge=0)
    """Seconds to publish what is held when the service has to end."""
    capture_dir: str | None = None
    """Folder for raw frames, gzipped by connection and hour; unset keeps none."""
    log_level: str = "INFO"
    """Lowest level that is logged."""

    @property
    def product_ids(self) -> tuple[str, ...]:
        """The products, in the order given."""
        return _items(self.products)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The channels, in the order given."""
        return _items(self.channels)


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())

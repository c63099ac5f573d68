"""Settings of the monitor, from ``MONITOR_…`` in the environment."""

from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from plumbing.clients import ClientRegistry, clients_of
from plumbing.known_settings import KnownSettings
from plumbing.listening import ListenHost
from plumbing.settings import listen_host

BudgetADay = Annotated[Literal[2, 4, 8, 16], BeforeValidator(int)]
"""Of the environment come words: a number has to be made of them first."""


class Settings(KnownSettings):
    """Read once, when the process starts."""

    model_config = SettingsConfigDict(
        env_prefix="MONITOR_", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )

    host: ListenHost = Field(default="127.0.0.1", validation_alias=listen_host("MONITOR"))
    """Address to listen on; `LISTEN_HOST` sets that of all services."""
    port: int = 8090
    """Port of HTTP: predictions, stream, probes, metrics."""
    api_keys: SecretStr = SecretStr("")
    """API keys as name:key,name:key, for all but probes and metrics; a browser asks for one as the
    password of any user. Empty: no key is asked for."""
    user_header: str = ""
    """Header in which an authenticating proxy in front names the user, as `X-Forwarded-User`: who
    brings it is let in, so nobody else may reach the port. Empty: no header is believed."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    group: str = "monitor"
    """Group under which the positions in `predictions` are kept."""
    adapter_url: str = "http://127.0.0.1:8000"
    """Where the prober finds `/predict`."""
    probe_seconds: float = Field(default=5.0, gt=0)
    """Seconds from one probe to the next."""
    probe_timeout_seconds: float = Field(default=5.0, gt=0)
    """A probe without an answer for so many seconds has failed."""
    prober_key: SecretStr | None = None
    """API key of the prober, sent as `X-API-Key`."""
    quality_window_seconds: int = Field(default=3_600, ge=60)
    """Seconds of event time over which live quality is measured."""
    history_seconds: int = Field(default=1_800, ge=120)
    """Seconds of event time for which settled rows are remembered; later predictions make
    the monitor read `ticks` back."""
    read_back_records: int = Field(default=50_000, ge=0)
    """At most so many outcomes a partition are read back on start for the quality window."""
    most_pending: int = Field(default=20_000, ge=1_000)
    """With so many predictions waiting, reading `predictions` pauses until `ticks` catch up."""
    give_up_seconds: int = Field(default=900, ge=120)
    """A prediction that waits for its label while the broker took other records for so long is
    given up: its product is no longer fed."""
    batch_seconds: float = Field(default=0.05, ge=0)
    """Shortest time from one batch of records to the next; costs latency, spares CPU."""
    commit_seconds: float = Field(default=1.0, ge=0)
    """Shortest time from one commit to the next."""
    scan_records: int = Field(default=20_000, ge=1_000)
    """At most so many records are read for one page of `/predictions`."""
    scan_seconds: float = Field(default=3.0, gt=0)
    """At most so many seconds are spent on one page of `/predictions`."""
    stream_queue: int = Field(default=1_000, ge=1)
    """A stream's client that is so many predictions behind is dropped."""
    stream_heartbeat_seconds: float = Field(default=15.0, gt=0)
    """A quiet stream gets a comment so often, to keep it open."""
    budget_elevated: BudgetADay = 8
    """Starts of elevated a day that its θ is chosen for, of 2, 4, 8 and 16."""
    budget_spike: BudgetADay = 4
    """Starts of a spike a day that its θ is chosen for, of 2, 4, 8 and 16."""
    webhook_url: str = ""
    """Where starts of states are posted, in the form of Standard Webhooks; empty: nowhere."""
    webhook_secret: SecretStr | None = None
    """What they are signed with: `whsec_` and 24 to 64 bytes in base64."""
    drift_url: str = "http://127.0.0.1:8091"
    """Where the drift process is, whose report `/drift` passes on; empty: there is none."""
    faults_url: str = ""
    """The `/faults` of the demo's simulator, for the page; on loopback alone. Empty: the page has
    no such thing."""

    @model_validator(mode="after")
    def _faults_on_loopback(self) -> Self:
        if self.faults_url and not is_loopback(self.host):
            raise ValueError(
                f"faults_url: found it beside host {self.host}, expected a loopback address"
            )
        return self

    def clients(self) -> ClientRegistry:
        """Return who may look, by the keys; raises ``ValueError``, which shows none."""
        return clients_of(self.api_keys.get_secret_value(), "", 0)


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address that is listened on.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "box")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

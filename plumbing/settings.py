"""Where the broker is and how to speak to it."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from plumbing.known_settings import KnownSettings, Suspect, near

BOOTSTRAP_TIMEOUT_MS: Final = 10_000
"""How long a client looks for the first broker: well within the grace that a container has."""

_UNITS: Final = {"": 1, "k": 1_000} | {
    unit + i: base**power
    for power, unit in enumerate("KMGTP", start=1)
    for i, base in (("", 1000), ("i", 1024))
}
_QUANTITY: Final = r"^[0-9]+(\.[0-9]+)?([eE]\+?[0-9]+|[kMGTP]|[KMGTP]i)?$"
"""As Kubernetes and Helm write a size."""

_SECURITY: Final = ("KAFKA_SASL", "KAFKA_SSL", "KAFKA_SECURITY")


def listen_host(prefix: str) -> AliasChoices:
    """Name the variables that say where to listen: the service's own, else one for all.

    >>> listen_host("ADAPTER").choices
    ['ADAPTER_HOST', 'LISTEN_HOST']
    """
    return AliasChoices(f"{prefix}_HOST", "LISTEN_HOST")


def meant_for_kafka(name: str, known: Iterable[str]) -> bool:
    """Suspect a security setting that would go unused, and what is nearly one of ours.

    Kafka's own tools have their variables under the same prefix.
    """
    others = name.startswith("KAFKA_METRICS_")
    return not others and (name.startswith(_SECURITY) or near(name, known))


class KafkaSettings(KnownSettings):
    """How to reach the broker; the same variables in every service."""

    suspect: ClassVar[Suspect] = staticmethod(meant_for_kafka)

    model_config = SettingsConfigDict(
        env_prefix="KAFKA_", frozen=True, use_attribute_docstrings=True
    )

    bootstrap_servers: str = "localhost:9092"
    """Brokers to start from, host:port, separated by commas."""
    security_protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    sasl_mechanism: str | None = None
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with a SASL protocol."""
    sasl_username: str | None = None
    """User name for SASL."""
    sasl_password: SecretStr | None = None
    """Password for SASL."""
    ssl_cafile: str | None = None
    """File with the certificate authority of the brokers."""
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "gzip"
    """How records are packed; all are read, whichever a broker or another producer chose."""
    dictionaries: Literal["auto", "on", "off"] = "off"
    """Whether small records are packed by dictionaries of their topics, which the topic
    `dictionaries` keeps: `auto` where a topic was empty when this release first wrote to it, `on`
    everywhere, `off` nowhere. Release 0.1.0 and clients of others cannot read such records, this
    one always can. Chart and compose say `auto`."""
    topic_prefix: str = ""
    """Put before every topic and group name, so that several pipelines share a broker."""
    replication_factor: int = Field(default=1, ge=1)
    """Copies of each partition of a topic that is created."""
    volume: str | None = Field(default=None, pattern=_QUANTITY)
    """Size of each broker's volume, as `10Gi`, where the brokers are ours: topics are bounded so
    that it is never more than four fifths full; unset: by time alone, and nothing is altered."""
    min_insync_replicas: int | None = Field(default=None, ge=1)
    """So many copies must have a record before it is acknowledged, of a topic that is created;
    unset: one less than there are from three copies on, so that one broker may be away, else 1."""

    @model_validator(mode="after")
    def _enough_copies(self) -> Self:
        if self.in_sync_replicas > self.replication_factor:
            raise ValueError(
                f"found min_insync_replicas {self.in_sync_replicas} of"
                f" {self.replication_factor} copies, expected no more than there are"
            )
        return self

    @property
    def in_sync_replicas(self) -> int:
        """Copies that must have a record before it is acknowledged.

        >>> [KafkaSettings(replication_factor=n).in_sync_replicas for n in (1, 2, 3, 5)]
        [1, 1, 2, 4]
        """
        if self.min_insync_replicas is not None:
            return self.min_insync_replicas
        return self.replication_factor - 1 if self.replication_factor >= 3 else 1

    @property
    def volume_bytes(self) -> int | None:
        """Bytes of each broker's volume; None where it is not said.

        >>> [KafkaSettings(volume=size).volume_bytes for size in ("10Gi", "1.5T", "1e+10", "7")]
        [10737418240, 1500000000000, 10000000000, 7]
        """
        if self.volume is None:
            return None
        number = self.volume.rstrip("kKMGTPi")
        return int(float(number) * _UNITS[self.volume.removeprefix(number)])

    def client(self) -> dict[str, Any]:
        """Return the settings as kafka-python names them."""
        password = self.sasl_password
        named = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": self.security_protocol,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
            "ssl_cafile": self.ssl_cafile,
        }
        return {name: value for name, value in named.items() if value is not None}

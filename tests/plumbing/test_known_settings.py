"""Variables that look like settings and are none."""

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ingestor.config import Settings as IngestorSettings
from plumbing.known_settings import KnownSettings, UnknownSetting, apart, check, names_of
from plumbing.settings import KafkaSettings, listen_host


class Shop(KnownSettings):
    """Settings with an alias."""

    model_config = SettingsConfigDict(env_prefix="SHOP_", frozen=True)
    host: str = Field(default="x", validation_alias=listen_host("SHOP"))
    apples: int = 3


@pytest.mark.parametrize(
    ("settings", "name", "meant"),
    [
        (Shop, "SHOP_APPLE", "SHOP_APPLES"),
        (Shop, "shop_aples", "SHOP_APPLES"),
        (Shop, "SHOP_HOTS", "SHOP_HOST"),
        (IngestorSettings, "INGESTOR_PRODUKTS", "INGESTOR_PRODUCTS"),
        (KafkaSettings, "KAFKA_SASL_USER", "KAFKA_SASL_USERNAME"),
        (KafkaSettings, "KAFKA_SSL_CA", "KAFKA_SSL_CAFILE"),
        (KafkaSettings, "KAFKA_SECURITY_PROTOKOL", "KAFKA_SECURITY_PROTOCOL"),
        (KafkaSettings, "KAFKA_TOPIC_PREFX", "KAFKA_TOPIC_PREFIX"),
        (KafkaSettings, "KAFKA_BOOTSTRAP_SERVER", "KAFKA_BOOTSTRAP_SERVERS"),
    ],
)
def test_a_misspelt_setting_is_refused(
    settings: type[KnownSettings], name: str, meant: str
) -> None:
    """With the nearest known name; the process ends, without a stack."""
    with pytest.raises(UnknownSetting, match=f"found {name.upper()} .* did you mean {meant}?"):
        check(settings, [name, "PATH"])


@pytest.mark.parametrize(
    "name",
    [
        "SHOP_APPLES",
        "shop_host",
        "LISTEN_HOST",
        "SHOP_SERVICE_HOST",
        "SHOP_SERVICE_PORT_HTTP",
        "SHOP_PORT_9101_TCP_ADDR",
        "SHOPPING",
        "KAFKA_HEAP_OPTS",
        "KAFKA_OPTS",
        "KAFKA_LOG4J_OPTS",
        "KAFKA_HOME",
        "KAFKA_METRICS_PORT",
        "KAFKA_SERVICE_PORT",
        "KAFKA_PORT_9092_TCP",
        "KAFKA_SSL_SERVICE_HOST",
    ],
)
def test_what_is_known_or_of_others_is_left_alone(name: str) -> None:
    """Settings, Kafka's own tools, and what Kubernetes puts into a pod."""
    check(Shop, [name])
    check(KafkaSettings, [name])


def test_the_environment_is_looked_at_when_settings_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever reads them, learns of it."""
    assert Shop().apples == 3
    monkeypatch.setenv("SHOP_PEARS", "5")
    with pytest.raises(UnknownSetting, match="SHOP_PEARS"):
        Shop()


def test_names_are_those_of_the_documentation() -> None:
    """Aliases too."""
    assert names_of(Shop) == ["SHOP_HOST", "LISTEN_HOST", "SHOP_APPLES"]


def test_letters_are_counted() -> None:
    """Added, left out, changed."""
    assert [apart("abc", other) for other in ("abc", "ab", "abcd", "xbc", "")] == [0, 1, 1, 1, 3]

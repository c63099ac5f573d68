"""Which host does not answer."""

import socket

import pytest

from plumbing.kafka.reachable import trouble_of
from plumbing.settings import KafkaSettings
from tests.ports import held_port


def settings(*addresses: str) -> KafkaSettings:
    """Settings with these brokers to start from."""
    return KafkaSettings(bootstrap_servers=",".join(addresses))


def test_a_broker_that_cannot_be_reached_is_named() -> None:
    """Host, port and reason; of several all, and only where none answers."""
    one, two = f"127.0.0.1:{held_port()}", f"127.0.0.1:{held_port()}"
    found = trouble_of(settings(one, two))
    assert f"{one}: ConnectionRefusedError" in found and f"{two}: ConnectionRefusedError" in found
    assert trouble_of(settings("no port")).startswith("no port: ValueError")


@pytest.mark.kafka
def test_a_broker_that_answers_is_no_trouble(kafka_settings: KafkaSettings) -> None:
    """Also where another one of the list does not."""
    assert trouble_of(kafka_settings) == ""
    away = f"127.0.0.1:{held_port()}"
    assert trouble_of(settings(away, kafka_settings.bootstrap_servers)) == ""


@pytest.mark.kafka
def test_a_broker_that_names_an_address_nobody_has_is_told(
    kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one we asked answers; where it sends us, nobody does."""
    elsewhere = f"127.0.0.1:{held_port()}"
    monkeypatch.setattr("plumbing.kafka.reachable._advertised", lambda _: [elsewhere])
    found = trouble_of(kafka_settings)
    assert elsewhere in found and "advertised.listeners" in found


def test_what_listens_and_is_no_broker_is_no_advice() -> None:
    """Nothing can be said of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert trouble_of(settings(f"127.0.0.1:{port}")) == ""

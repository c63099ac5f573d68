"""The embedded Apache Kafka."""

from pathlib import Path

import pytest

from ingestor.topics import CONTROL
from local.broker import Broker, BrokerError, properties
from local.ports import free_port, is_free
from plumbing.kafka import KafkaSettings, Partition, Producer, Reader, ensure_topics


def test_it_listens_on_loopback_only() -> None:
    """No listener is open to the network, and topics are never made by accident."""
    lines = properties(Path("folder"), 9092, 9093).splitlines()
    listeners = next(line for line in lines if line.startswith("listeners="))
    assert listeners == "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert "auto.create.topics.enable=false" in lines


@pytest.mark.kafka
def test_it_starts_empty_and_ends_with_its_port(tmp_path: Path) -> None:
    """A second start on the same folder has no topics of the first; the end frees the port."""
    for _ in range(2):
        with Broker(tmp_path / "broker") as broker:
            settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
            ensure_topics(settings, [CONTROL])
            producer = Producer(settings)
            producer.send("control", "variant", b"ml")
            producer.flush()
            producer.close()
            reader = Reader(settings, ["control"])
            assert reader.ends() == {Partition("control", 0): 1}
            reader.close()
        assert broker.process.poll() is not None
        assert is_free(broker.port)


@pytest.mark.kafka
def test_a_broker_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    """The error has the last lines of the broker's own log."""
    with pytest.raises(BrokerError, match=r"(?s)ended while starting.*memory|heap"):
        Broker(tmp_path / "broker", port=free_port(), heap="1k").start()

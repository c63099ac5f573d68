"""What the demo starts, and where."""

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from local.config import DemoSettings
from local.plan import USUAL_PORTS, Plan, choose_ports
from plumbing.kafka import KafkaSettings


def _plan(settings: DemoSettings) -> Plan:
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:19092", topic_prefix="demo-")
    return Plan(settings, {name: port + 1 for name, port in USUAL_PORTS.items()}, kafka)


def test_taken_ports_are_shifted_and_told() -> None:
    """A taken port gives the next free one that is nobody's usual one, and one line about it."""
    said: list[str] = []

    def free(usual: int, others: set[int]) -> int:
        return next(p for p in range(usual, 65_536) if p != 8765 and p not in others)

    chosen = choose_ports(USUAL_PORTS, free, said.append)
    assert chosen["simulator"] == 8767 and len(set(chosen.values())) == len(USUAL_PORTS)
    assert said == ["port 8765 of simulator is taken: using 8767"]


def test_services_are_told_of_each_other(tmp_path: Path) -> None:
    """Shifted ports, the broker and the prefix reach everyone who needs them."""
    recording = tmp_path / "r.ndjson"
    recording.touch()
    plan = _plan(DemoSettings(recording=recording, speed=20.0))
    early, late = plan.programs(kafka=False), plan.programs(kafka=True)
    assert {each.name for each in early} == {"simulator", "mlserver"}
    assert {each.name for each in late} == {"featurizer", "scorer", "adapter", "monitor"}
    services = {each.name: each for each in (*early, *late)}
    assert services["simulator"].env["SIMULATOR_RECORDING"] == str(recording)
    assert services["simulator"].env["SIMULATOR_SPEED"] == "20.0"
    assert services["simulator"].env["SIMULATOR_HISTORY_SECONDS"] == "4500"
    assert services["simulator"].env["SIMULATOR_VOLATILITY"] == "wandering"
    assert "market-wandering-6481" in services["featurizer"].env["FEATURIZER_SEEDS"]
    assert services["scorer"].env["SCORER_MODEL_URL"] == "http://127.0.0.1:8081"
    assert services["simulator"].env["SIMULATOR_ADMIN_PORT"] == "8767"
    assert (
        services["simulator"].port == 8767 and "KAFKA_TOPIC_PREFIX" not in services["simulator"].env
    )
    assert services["mlserver"].command[1:] == ("start", "model-settings")
    assert services["mlserver"].env["MLSERVER_HTTP_PORT"] == "8081"
    assert services["mlserver"].env["MLSERVER_GRPC_PORT"] == "8082"
    assert services["monitor"].env["MONITOR_PROBER_KEY"] == plan.prober_key
    assert services["adapter"].env["ADAPTER_PORT"] == "8001"
    assert services["featurizer"].env["KAFKA_TOPIC_PREFIX"] == "demo-"
    assert services["monitor"].env["MONITOR_ADAPTER_URL"] == "http://127.0.0.1:8001"
    ingestor = plan.ingestor("BTC-USD")
    assert ingestor.env["INGESTOR_WS_URL"] == "ws://127.0.0.1:8766"
    assert ingestor.command == (sys.executable, "-m", "ingestor")


def test_the_live_market_needs_no_simulator() -> None:
    """FEED=coinbase leaves the simulator out and the exchange's own address in place."""
    plan = _plan(DemoSettings(feed="coinbase"))
    assert [each.name for each in plan.programs(kafka=False)] == ["mlserver"]
    assert "INGESTOR_WS_URL" not in plan.ingestor("BTC-USD").env


def test_contradictions_are_refused(tmp_path: Path) -> None:
    """A recording of the live market, or one that is not there, cannot be meant."""
    with pytest.raises(ValidationError, match="found no file at RECORDING="):
        DemoSettings(recording=tmp_path / "none")
    (tmp_path / "r").touch()
    with pytest.raises(ValidationError, match="expected one of them"):
        DemoSettings(recording=tmp_path / "r", feed="coinbase")

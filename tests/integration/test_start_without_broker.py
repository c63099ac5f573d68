"""A service whose broker is away at the start waits for it, says so, and is not ready."""

import json
from pathlib import Path

import pytest

from tests.integration.pipeline import Process
from tests.ports import held_port
from tests.waiting import eventually

pytestmark = pytest.mark.process

NOBODY = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


@pytest.mark.parametrize("name", ["ingestor", "featurizer", "scorer", "monitor"])
def test_it_waits_for_the_broker(name: str, tmp_path: Path) -> None:
    """Alive, not ready, a log line with the reason; SIGTERM ends it with 0."""
    port, prefix = held_port(), name.upper()
    own = {f"{prefix}_HOST": "127.0.0.1", f"{prefix}_PORT": str(port)}
    service = Process(name, tmp_path / "log", port, NOBODY | own)
    try:
        eventually(lambda: bool(service.logged("broker.away")), "a reason")
        eventually(lambda: service.get("/healthz")[0] == 200, "alive")
        assert service.get("/readyz")[0] == 503
        assert "bootstrap" in service.logged("broker.away")[0]["reason"]
        assert service.end() == 0
        assert "Traceback" not in service.log.read_text()
    finally:
        service.kill()


def test_the_adapter_serves_without_a_broker(tmp_path: Path) -> None:
    """It says that control is away and is ready as soon as it can answer."""
    port = held_port()
    settings = {
        "ADAPTER_HOST": "127.0.0.1",
        "ADAPTER_PORT": str(port),
        "ADAPTER_BASELINE_FALLBACK": "true",
        "ADAPTER_MODEL_URL": "http://127.0.0.1:1",
    }
    adapter = Process("adapter", tmp_path / "log", port, NOBODY | settings)
    try:
        eventually(lambda: adapter.get("/readyz")[0] == 200, "ready")
        eventually(lambda: bool(adapter.logged("broker.away")), "a reason")
        assert json.loads(adapter.get("/health")[1])["control"] == "away"
        assert adapter.end() == 0
    finally:
        adapter.kill()

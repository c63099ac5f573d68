"""docker-compose.yml, the files of variables in env/ and the code say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
END_BY_THEMSELVES = {"topics", "deploy"}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::[-+]([^}]*))?\}")
DIFFERS = {"PRODUCTS"}
"""The simulator has products of its own where none are named."""


def variables(name: str) -> dict[str, str]:
    """Read a file of variables."""
    lines = (ROOT / "env" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_names_every_variable_with_its_default() -> None:
    """example.env lists what compose reads, no more, and changes nothing."""
    example, found = variables("example.env"), dict(VARIABLE.findall(TEXT))
    assert set(example) == set(found)
    defaults = {
        name: default
        for name, default in VARIABLE.findall(TEXT)
        if name not in DIFFERS | {"RECORDING"}
    }
    assert {name: example[name] for name in defaults} == defaults


def test_a_replay_sets_only_what_can_be_set() -> None:
    """replay.env turns the simulator's profile on and points the ingestor at it."""
    replay = variables("replay.env")
    assert set(replay) - {"COMPOSE_PROFILES"} <= set(variables("example.env"))
    assert replay["COMPOSE_PROFILES"] in SERVICES["simulator"]["profiles"]
    assert replay["WS_URL"] == "ws://simulator:8765"


def test_tracing_sets_only_what_can_be_set() -> None:
    """tracing.env names a collector, and nothing that compose does not read."""
    tracing = variables("tracing.env")
    assert tracing.keys() <= variables("example.env").keys()
    assert {"OTEL_EXPORTER_OTLP_ENDPOINT", "MLSERVER_TRACING_SERVER"} <= tracing.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded(name: str) -> None:
    """Memory, privileges and logs are limited, and the image has an exact version."""
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]
    assert re.search(r":(v?\d+[\w.-]*|\$\{TAG:-dev\})$", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - END_BY_THEMSELVES))
def test_every_lasting_service_heals(name: str) -> None:
    """What lasts is restarted, and says whether it is alive."""
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"]


def test_models_reach_only_who_serves_them() -> None:
    """The adapter sees the baseline alone; only a deployment may write."""
    mounts = {
        name: mount
        for name, service in SERVICES.items()
        for mount in service.get("volumes", [])
        if mount.startswith("${MODELS:")
    }
    assert mounts == {
        "mlserver": "${MODELS:-./model-settings}:/models:ro,z",
        "drift": "${MODELS:-./model-settings}:/models:ro,z",
        "adapter": "${MODELS:-./model-settings}/baseline:/models/baseline:ro,z",
        "deploy": "${MODELS:-./model-settings}:/models:z",
    }


def test_folders_are_labelled_for_selinux() -> None:
    """Where it is on, a container may not read a folder of the host without that."""
    volumes = set(FILE["volumes"])
    folders = [
        mount
        for service in SERVICES.values()
        for mount in service.get("volumes", [])
        if mount.split(":")[0] not in volumes
    ]
    assert len(folders) >= 10
    assert not [mount for mount in folders if mount.rpartition(":")[2] not in ("z", "ro,z")]

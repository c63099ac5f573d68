"""make/kube.mk agrees with the cluster it makes, and says what it lacks."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e.kind.drill import PORTS
from tests.e2e.stack import ROOT

TEXT = (ROOT / "make" / "kube.mk").read_text()


def published() -> set[int]:
    """Return the ports of this machine that lead into the cluster."""
    nodes = yaml.safe_load((ROOT / "manifests" / "kind.yaml").read_text())["nodes"]
    mappings = [each for node in nodes for each in node.get("extraPortMappings", [])]
    assert {each["listenAddress"] for each in mappings} == {"127.0.0.1"}
    assert all(each["hostPort"] == each["containerPort"] for each in mappings)
    return {each["hostPort"] for each in mappings}


def test_addresses_lead_into_the_cluster() -> None:
    """What `make kind` prints, and what the drill asks, is what manifests/kind.yaml maps."""
    printed = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", TEXT)}
    assert printed <= published() and set(PORTS.values()) <= published()


@pytest.mark.process
def test_a_missing_tool_is_named(tmp_path: Path) -> None:
    """Without a tool on the PATH a target ends with 2 and says which."""
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run(
        [make, "--file", "make/kube.mk", "kind-ask"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "found no curl on the PATH, expected it" in done.stderr


def test_targets_say_what_they_do() -> None:
    """Each target for people stands in `make help`."""
    told = set(re.findall(r"^([a-z0-9-]+):.*## ", TEXT, re.MULTILINE))
    assert told >= {
        "kind",
        "kind-images",
        "kind-ask",
        "kind-down",
        "manifests",
        "chart-test",
        "e2e",
        "upgrade-drill",
    }

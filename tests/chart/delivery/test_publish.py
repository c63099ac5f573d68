"""`make publish`: a package, what is in it, and where it went; with a registry that is none."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chart.profiles import PROFILES, containers, pods
from tests.chart.rendering import CHART, ROOT, load

SBOM = load(ROOT / "manifests" / "sbom.py")
DIGEST = "sha256:" + "ab" * 32
HELM = """#!/bin/sh
echo "$@" >> "$CALLS"
case $1 in
  registry) cat >> "$CALLS"; echo >> "$CALLS" ;;
  push) echo "Pushed: $3"; echo "Digest: {digest}" ;;
  *) exec {helm} "$@" ;;
esac
"""
"""Helm, but that nothing leaves this machine."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of `make publish`: its words, Helm's calls, and what it told GitHub."""

    code: int
    said: str
    calls: str
    outputs: dict[str, str]


def publish(folder: Path, **given: str) -> Published:
    """Run the target with these variables, into a folder."""
    helm = shutil.which("helm")
    (folder / "bin").mkdir()
    (folder / "bin" / "helm").write_text(HELM.format(digest=DIGEST, helm=helm))
    (folder / "bin" / "helm").chmod(0o755)
    calls, outputs = folder / "calls", folder / "outputs"
    for path in (calls, outputs):
        path.touch()
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith("GITHUB_")},
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "GITHUB_OUTPUT": str(outputs),
        "DOCKER_CONFIG": str(folder / "docker"),
        "REGISTRY_USER": "ada",
        "REGISTRY_TOKEN": "secret",
        **given,
    }
    # The environment is what runs this: nothing is to be installed into it.
    command = ["make", "-s", "--assume-old", ".venv/.dev", "publish", f"PACKAGES={folder}"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    lines = (line.partition("=") for line in outputs.read_text().splitlines())
    told = {name: text for name, _, text in lines}
    return Published(done.returncode, done.stdout + done.stderr, calls.read_text(), told)


def test_it_pushes_and_tells_what(tmp_path: Path) -> None:
    """Name and digest, by which provenance and SBOM are attested; the token in no argument."""
    found = publish(tmp_path, REGISTRY="ghcr.io/Somebody/charts", GITHUB_REF_NAME="v0.1.0")
    assert found.code == 0, found.said
    assert found.outputs == {
        "name": "ghcr.io/somebody/charts/crypto-volatility",
        "digest": DIGEST,
        "sbom": str(tmp_path / "crypto-volatility-0.1.0.spdx.json"),
    }
    (pushed,) = [line for line in found.calls.splitlines() if line.startswith("push ")]
    assert f"{tmp_path}/crypto-volatility-0.1.0.tgz oci://ghcr.io/somebody/charts " in pushed
    (login,) = [line for line in found.calls.splitlines() if line.startswith("registry login")]
    assert login.startswith("registry login ghcr.io ") and "secret" not in login
    assert found.calls.count("secret") == 1 and "secret" not in found.said


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "say where to"),
        ({"REGISTRY": "ghcr.io/a/b", "GITHUB_REF_NAME": "v9.9.9"}, "found the tag v9.9.9"),
    ],
)
def test_what_cannot_be_right_is_not_pushed(
    tmp_path: Path, given: dict[str, str], why: str
) -> None:
    """Without a registry, or with a tag of another version than the chart's."""
    found = publish(tmp_path, **given)
    assert found.code != 0 and why in found.said
    assert "push " not in found.calls and "registry" not in found.calls


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The SBOM of some package."""
    package = tmp_path_factory.mktemp("package") / "crypto-volatility-0.1.0.tgz"
    package.write_bytes(b"a chart")
    found: dict[str, Any] = SBOM.document(package, "2026-11-27T00:00:00Z", CHART)
    return found


def test_the_sbom_has_every_image_that_a_profile_runs(listed: dict[str, Any]) -> None:
    """By name and tag; kind's own tag `dev`, of images made on the spot, is none."""
    has = {f"{each['name']}:{each['versionInfo']}" for each in listed["packages"]}
    for profile in set(PROFILES) - {"models by image"}:
        for pod in pods(profile).values():
            for image in (each["image"] for each in containers(pod)):
                plain = image.removeprefix("registry.example.com/")
                assert plain in has or plain.endswith(":dev"), image


def test_the_sbom_names_the_package_and_its_models(listed: dict[str, Any]) -> None:
    """By digests."""
    packages = {each["name"]: each for each in listed["packages"]}
    digest = hashlib.sha256(b"a chart").hexdigest()
    (said,) = packages["crypto-volatility"]["checksums"]
    assert said == {"algorithm": "SHA256", "checksumValue": digest}
    sums = (ROOT / "model-settings" / "ml" / "SHA256SUMS").read_bytes()
    assert packages["model-ml"]["versionInfo"] == hashlib.sha256(sums).hexdigest()


def test_the_sbom_is_whole(listed: dict[str, Any]) -> None:
    """What SPDX 2.3 asks for, and each package is related to the chart, once."""
    needed = {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"}
    assert needed <= set(listed)
    ids = [each["SPDXID"] for each in listed["packages"]]
    assert len(ids) == len(set(ids))
    assert sorted(each["relatedSpdxElement"] for each in listed["relationships"]) == sorted(ids)
    for each in listed["packages"]:
        assert {"name", "SPDXID", "downloadLocation", "versionInfo"} <= set(each)
    assert json.dumps(listed)

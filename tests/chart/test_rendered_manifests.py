"""manifests/rendered: the chart for people without Helm."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart.rendering import ROOT, load

RENDERED = ROOT / "manifests" / "rendered"


RENDER = load(ROOT / "manifests" / "render.py")


def documents() -> list[dict[str, Any]]:
    """Return all objects of all files but the kustomization."""
    paths = sorted(set(RENDERED.glob("*.yaml")) - {RENDERED / "kustomization.yaml"})
    return [thing for path in paths for thing in yaml.safe_load_all(path.read_text())]


def test_the_files_are_what_the_chart_renders() -> None:
    """After a change of the chart, `make manifests` has been run."""
    texts = RENDER.files(RENDER.helm())
    assert {path.name for path in RENDERED.iterdir()} == set(texts)
    changed = [name for name, text in texts.items() if (RENDERED / name).read_text() != text]
    assert changed == [], "run `make manifests`"


def test_the_kustomization_names_every_file() -> None:
    """`kubectl apply -k` takes all of them."""
    kustomization = yaml.safe_load((RENDERED / "kustomization.yaml").read_text())
    files = {path.name for path in RENDERED.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


@pytest.mark.parametrize("version", ["1.30", "1.34", "1.37"])
def test_every_object_is_valid(version: str) -> None:
    """Kubernetes knows each object and each of its fields."""
    for thing in documents():
        kubernetes_validate.validate(thing, version, strict=True)


def test_the_namespace_lets_restricted_pods_in_only() -> None:
    """The namespace enforces what all pods of ours keep."""
    (namespace,) = [thing for thing in documents() if thing["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_nothing_of_helms_is_left() -> None:
    """No hooks, tests or owners that only Helm understands."""
    for thing in documents():
        metadata = thing["metadata"]
        assert not [key for key in metadata.get("annotations", {}) if "helm.sh" in key]
        labels = metadata.get("labels", {})
        assert labels.get("app.kubernetes.io/managed-by") != "Helm"
        assert labels.get("app.kubernetes.io/component") != "test"

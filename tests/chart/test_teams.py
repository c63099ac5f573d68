"""What a platform team sets: as part of a chart of its own, on every pod, from its own registry."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, Manifest, rendered, setting

ALL = setting("mlflow.enabled=true", "retraining.enabled=true")


def templates(objects: list[Manifest]) -> dict[str, Manifest]:
    """Return metadata and spec of every pod that is made, by kind and name."""
    found = {}
    for thing in objects:
        kind, spec = thing["kind"], thing.get("spec", {})
        if kind == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if kind == "Pod" or "template" in spec:
            found[f"{kind}/{thing['metadata']['name']}"] = (
                thing if kind == "Pod" else spec["template"]
            )
    return found


def test_what_is_for_every_pod_is_on_every_pod() -> None:
    """Kafka's, those of Jobs, of the CronJob and of `helm test`, too."""
    given = setting(
        "defaults.podAnnotations.sidecar\\.istio\\.io/inject=no",
        "defaults.podLabels.team=risk",
        "defaults.priorityClassName=high",
        "defaults.nodeSelector.pool=blue",
    )
    found = templates(rendered(*ALL, *given))
    assert {name.partition("/")[0] for name in found} >= {
        *("Deployment", "StatefulSet", "Job", "CronJob", "Pod"),
    }
    for name, pod in found.items():
        assert pod["metadata"]["annotations"]["sidecar.istio.io/inject"] == "no", name
        assert pod["metadata"]["labels"]["team"] == "risk", name
        assert pod["spec"]["priorityClassName"] == "high", name
        assert pod["spec"]["nodeSelector"] == {"pool": "blue"}, name


def test_an_annotation_for_all_takes_nothing_of_a_pods_own() -> None:
    """The container that `kubectl logs` shows, and the hooks of a test."""
    plain = templates(rendered(*ALL))
    more = templates(rendered(*ALL, *setting("defaults.podAnnotations.a=b")))
    for name, pod in plain.items():
        own = pod["metadata"].get("annotations") or {}
        assert more[name]["metadata"]["annotations"] == own | {"a": "b"}, name


@pytest.fixture
def umbrella(tmp_path: Path) -> Path:
    """A chart of a team's own that has ours as a dependency with a condition."""
    shutil.copytree(CHART, tmp_path / "charts" / CHART.name, symlinks=False)
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    ours = {"name": CHART.name, "version": version, "condition": f"{CHART.name}.enabled"}
    chart = {"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [ours]}
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(chart))
    return tmp_path


def images(objects: list[Manifest]) -> set[str]:
    """Return all images that are named."""
    pods = (pod["spec"] for pod in templates(objects).values())
    return {
        each["image"]
        for pod in pods
        for each in [*pod["containers"], *pod.get("initContainers", [])]
    }


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ((), True),
        (("global.imageRegistry=reg.corp", "global.other.thing=1"), True),
        ((f"{CHART.name}.enabled=true",), True),
        ((f"{CHART.name}.enabled=false",), False),
    ],
)
def test_a_chart_of_a_team_may_hold_this_one(
    umbrella: Path, given: tuple[str, ...], whole: bool
) -> None:
    """With globals of its own, and switched off by its condition."""
    objects = rendered(*setting(*given), chart=str(umbrella))
    assert bool(objects) is whole
    if whole and given and given[0].startswith("global"):
        assert {image.partition("/")[0] for image in images(objects)} == {"reg.corp"}


def test_a_registry_holds_all_images_whoever_made_them() -> None:
    """A host that an image names gives way to it; ours may have one of their own."""
    more: dict[str, Any] = {"kafka.image.repository": "quay.io/team/kafka"}
    pairs = [f"{key}={value}" for key, value in more.items()]
    all_of_them = images(rendered(*ALL, *setting("global.imageRegistry=reg.corp/mirror", *pairs)))
    assert all(image.startswith("reg.corp/mirror/") for image in all_of_them)
    assert any(image.startswith("reg.corp/mirror/team/kafka:") for image in all_of_them)
    ours = images(
        rendered(*ALL, *setting("global.imageRegistry=reg.corp", "image.registry=own.corp"))
    )
    assert {i.partition("/")[0] for i in ours if "crypto-volatility" in i} == {"own.corp"}
    assert {i.partition("/")[0] for i in ours if "crypto-volatility" not in i} == {"reg.corp"}

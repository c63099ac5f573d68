"""Every profile is what Kubernetes knows, in the oldest version that the chart is for and a new."""

from collections import Counter

import kubernetes_validate
import pytest

from tests.chart.profiles import PROFILES, containers, objects, pods
from tests.chart.rendering import rendered


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_every_object_is_valid(profile: str, version: str) -> None:
    """Each object has the fields that its kind has, and no other."""
    for thing in objects(profile):
        kubernetes_validate.validate(thing, version, strict=True)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_two_objects_have_one_name(profile: str) -> None:
    """A kind and a name stand for one object."""
    names = Counter((thing["kind"], thing["metadata"]["name"]) for thing in objects(profile))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_every_object_says_whose_it_is(profile: str) -> None:
    """Each object has the namespace and the labels that Kubernetes recommends."""
    for thing in objects(profile):
        labels = thing["metadata"]["labels"]
        wanted = ("name", "instance", "component", "part-of", "managed-by")
        assert {f"app.kubernetes.io/{each}" for each in wanted} <= set(labels), thing["metadata"]
        assert thing["metadata"]["namespace"] == "somewhere"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_image_has_a_fixed_tag(profile: str) -> None:
    """No image moves under a pod, and none is pulled where it is there."""
    for pod in pods(profile).values():
        for container in containers(pod):
            name, _, tag = container["image"].rpartition(":")
            assert name and tag not in ("", "latest"), container["image"]
            assert container.get("imagePullPolicy", "IfNotPresent") == "IfNotPresent"


def test_selectors_are_the_labels_of_the_pods() -> None:
    """Every Service and every budget finds pods, and a workload finds its own."""
    things = objects("kind")
    templates = [
        thing["spec"]["template"]["metadata"]["labels"]
        for thing in things
        if thing["kind"] in ("Deployment", "StatefulSet")
    ]
    for thing in things:
        if thing["kind"] == "Service":
            selector = thing["spec"]["selector"]
            assert any(selector.items() <= labels.items() for labels in templates)


def test_a_long_name_fits() -> None:
    """Names of Services have at most 63 characters, whatever the release is called."""
    name = "a-very-long-name-that-goes-on-and-on-and"
    for thing in rendered("--set", f"fullnameOverride={name}"):
        assert thing["metadata"]["name"].startswith(name)
        assert len(thing["metadata"]["name"]) <= (63 if thing["kind"] == "Service" else 253)


def test_our_tag_is_the_version_of_the_chart() -> None:
    """Without a tag, our images are those of the chart's appVersion."""
    images = {c["image"] for pod in pods("default").values() for c in containers(pod)}
    assert {"crypto-volatility/stream:0.1.0", "crypto-volatility/ml:0.1.0"} <= images

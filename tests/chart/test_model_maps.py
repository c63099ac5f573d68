"""What promotion puts into a cluster is what the chart would have put there."""

import copy
from pathlib import Path
from typing import Any

import pytest

from promotion.cluster.model_map import (
    ModelMap,
    Provenance,
    check_same,
    config_map,
    files_of,
    model_map,
    release_of,
)
from promotion.cluster.template import served, versions, with_kept, with_models
from promotion.model_pair import loaded
from serving.control import VARIANTS
from tests.chart.rendering import KIND, NAMESPACE, RELEASE, ROOT, Manifest, one, rendered

MODELS = ROOT / "model-settings"


@pytest.fixture(scope="module")
def things() -> list[Manifest]:
    """The chart, rendered for kind."""
    return rendered("--values", KIND)


def deployment(things: list[Manifest], component: str) -> dict[str, Any]:
    """Return a Deployment as the chart renders it."""
    return copy.deepcopy(one(things, "Deployment", component))


def promoted(things: list[Manifest], variant: str) -> Manifest:
    """Return the ConfigMap that promotion makes of a folder of ours."""
    folder = Path(MODELS / variant)
    site = release_of(deployment(things, "mlserver"))
    body = config_map(site, loaded(folder), files_of(folder), Provenance("ada", "now", None, None))
    return dict(body)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_config_maps_are_equal(things: list[Manifest], variant: str) -> None:
    """Name, labels and bytes; of the annotations those that name the model."""
    ours = promoted(things, variant)
    theirs = one(things, "ConfigMap", ours["metadata"]["name"].removeprefix(f"{RELEASE}-"))
    for field in ("name", "namespace", "labels"):
        assert ours["metadata"][field] == theirs["metadata"][field]
    assert {name: ours[name] for name in ("binaryData", "immutable")} == {
        name: theirs[name] for name in ("binaryData", "immutable")
    }
    for name in ("crypto-volatility/digest", "helm.sh/resource-policy"):
        assert ours["metadata"]["annotations"][name] == theirs["metadata"]["annotations"][name]
    check_same(theirs, ours)


def test_the_release_is_read_off_the_deployment(things: list[Manifest]) -> None:
    """Namespace, names and the versions that serve are found in what the chart renders."""
    server = deployment(things, "mlserver")
    site = release_of(server)
    assert (site.namespace, site.fullname) == (NAMESPACE, RELEASE)
    expected = {variant: loaded(MODELS / variant).info.version for variant in VARIANTS}
    assert served(server, RELEASE) == expected
    adapter = deployment(things, "adapter")["spec"]["template"]
    assert versions(adapter, RELEASE) == {"baseline": expected["baseline"]}


@pytest.mark.parametrize("component", ["mlserver", "adapter"])
def test_templates_are_equal(things: list[Manifest], component: str) -> None:
    """Another model and back again gives the template that the chart renders, item by item."""
    before = deployment(things, component)["spec"]["template"]
    ours = {variant: model_map(promoted(things, variant)) for variant in VARIANTS}
    others = {
        variant: ModelMap(f"{RELEASE}-model-{variant}-{'0' * 12}", variant, "0" * 12, model.files)
        for variant, model in ours.items()
    }
    changed = with_models(before, RELEASE, others)
    assert set(versions(changed, RELEASE).values()) == {"0" * 12}
    assert with_models(changed, RELEASE, ours) == before


def test_drift_has_the_folders_of_the_chart(things: list[Manifest]) -> None:
    """All kept models are mounted as the chart mounts them."""
    before = deployment(things, "drift")["spec"]["template"]
    ours = [model_map(promoted(things, variant)) for variant in VARIANTS]
    assert with_kept(before, RELEASE, ours) == before

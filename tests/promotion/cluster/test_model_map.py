"""A model folder as a ConfigMap and back."""

import copy
from pathlib import Path
from typing import Any

import pytest

from promotion.cluster.errors import ClusterError, Conflict
from promotion.cluster.model_map import (
    Provenance,
    Release,
    check_same,
    config_map,
    files_of,
    model_map,
    release_of,
    restore,
)
from promotion.model_pair import loaded
from tests.promotion.cluster.fake_objects import body_of, deployment


def test_a_config_map_has_the_contract(pairs: list[Path]) -> None:
    """Name, labels, annotations and files are those that chart and promotion share."""
    folder = pairs[0] / "ml"
    artifact = loaded(folder)
    labels = {"app.kubernetes.io/instance": "cv", "app.kubernetes.io/managed-by": "Helm"}
    site = Release("space", "cv", labels, {"meta.helm.sh/release-name": "cv"})
    body = config_map(site, artifact, files_of(folder), Provenance("ada", "now", None, "abc"))
    meta = body["metadata"]
    assert meta["name"] == f"cv-model-ml-{artifact.info.version}"
    assert meta["labels"] == labels | {
        "app.kubernetes.io/component": "model",
        "crypto-volatility/variant": "ml",
        "crypto-volatility/version": artifact.info.version,
    }
    assert meta["annotations"] == {
        "meta.helm.sh/release-name": "cv",
        "helm.sh/resource-policy": "keep",
        "crypto-volatility/digest": artifact.info.digest,
        "crypto-volatility/who": "ada",
        "crypto-volatility/when": "now",
        "crypto-volatility/from": "abc",
    }
    assert body["immutable"] is True
    assert list(body["binaryData"]) == sorted(path.name for path in folder.iterdir())


def test_a_model_comes_back_whole(pairs: list[Path], tmp_path: Path) -> None:
    """A folder out of its ConfigMap has the same bytes and digest."""
    folder = pairs[0] / "ml"
    artifact = restore(body_of(folder), tmp_path / "back")
    assert artifact.info == loaded(folder).info
    assert files_of(tmp_path / "back") == files_of(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["binaryData"].update({"model.json": "e30="}),
        lambda body: body["binaryData"].update({"model.json": "no base64!"}),
        lambda body: body["binaryData"].update({"../evil": "e30="}),
        lambda body: body["binaryData"].pop("card.json"),
        lambda body: body["metadata"]["annotations"].pop("crypto-volatility/digest"),
    ],
)
def test_a_damaged_config_map_is_refused(pairs: list[Path], tmp_path: Path, change: Any) -> None:
    """What is not what its digest says is never written as a model, nor believed."""
    body = copy.deepcopy(body_of(pairs[0] / "ml"))
    change(body)
    with pytest.raises(ClusterError, match="ConfigMap"):
        restore(body, tmp_path / "folder")
    with pytest.raises(Conflict):
        check_same(body, body_of(pairs[0] / "ml"))
    assert not (tmp_path / "evil").exists()


def test_text_and_bytes_are_the_same(pairs: list[Path]) -> None:
    """A chart that writes JSON files as text makes the same model."""
    wanted = body_of(pairs[0] / "baseline")
    found = copy.deepcopy(wanted)
    text = (pairs[0] / "baseline" / "model.json").read_text()
    del found["binaryData"]["model.json"]
    found["data"] = {"model.json": text}
    check_same(found, wanted)
    assert model_map(found) == model_map(wanted)


def test_a_site_is_read_off_the_deployment() -> None:
    """Helm's ownership goes along, so that a later chart with the same model adopts it."""
    site = release_of(deployment("mlserver", []))
    assert (site.namespace, site.fullname) == ("space", "cv")
    assert site.labels["app.kubernetes.io/managed-by"] == "Helm"
    assert site.annotations == {"meta.helm.sh/release-name": "cv"}
    with pytest.raises(ClusterError, match="expected a name like"):
        release_of(deployment("adapter", []))

"""A model folder as a ConfigMap and back, and the pod templates that mount it."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from promotion.cluster.template import needed, served, versions, with_kept, with_models
from promotion.model_pair import loaded
from serving.control import VARIANTS
from tests.promotion.cluster.fake_objects import (
    FILES,
    FULLNAME,
    body_of,
    deployment,
    model,
    projected,
    template_of,
)

VERSION = st.text("0123456789abcdef", min_size=12, max_size=12)


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


@settings(deadline=None)
@given(st.tuples(VERSION, VERSION), st.tuples(VERSION, VERSION))
def test_models_change_and_nothing_else(old: tuple[str, str], new: tuple[str, str]) -> None:
    """The template with other models is the one the chart would render, and back again."""
    before = template_of(*old)
    kept = copy.deepcopy(before)
    after = with_models(
        before, FULLNAME, {v: model(v, n) for v, n in zip(VARIANTS, new, strict=True)}
    )
    assert after == template_of(*new)
    assert versions(after, FULLNAME) == dict(zip(VARIANTS, new, strict=True))
    back = with_models(
        after, FULLNAME, {v: model(v, n) for v, n in zip(VARIANTS, old, strict=True)}
    )
    assert back == before == kept


def test_files_are_those_of_the_new_model() -> None:
    """A model with other files than the one before is mounted with its own."""
    few = model("ml", "b" * 12, ("SHA256SUMS", "model.json"))
    after = with_models(template_of("a" * 12, "c" * 12), FULLNAME, {"ml": few})
    (found,) = (
        each["configMap"]["items"]
        for each in after["spec"]["volumes"][1]["projected"]["sources"]
        if each["configMap"]["name"] == few.name
    )
    assert [item["path"] for item in found] == ["ml/SHA256SUMS", "ml/model.json"]


@settings(deadline=None)
@given(st.sets(st.tuples(st.sampled_from(VARIANTS), VERSION), min_size=1))
def test_drift_has_all_that_are_kept(kept: set[tuple[str, str]]) -> None:
    """Each kept model has a folder of its own, by name, and none is needed to start."""
    models = [model(*each) for each in kept]
    first = projected(model("ml", "a" * 12), "ml-aaaaaaaaaaaa", optional=True)
    before = deployment("drift", [first])["spec"]["template"]
    after = with_kept(before, FULLNAME, models)
    sources = after["spec"]["volumes"][1]["projected"]["sources"]
    assert [each["configMap"]["name"] for each in sources] == sorted(m.name for m in models)
    paths = {item["path"] for each in sources for item in each["configMap"]["items"]}
    assert paths == {f"{m.variant}-{m.version}/{file}" for m in models for file in FILES}
    assert needed(after["spec"]) == set()
    assert with_kept(after, FULLNAME, models) == after


def test_models_by_image_are_refused() -> None:
    """A Deployment without models in ConfigMaps says how it is changed instead."""
    with pytest.raises(ClusterError, match=r"serving\.models\.image"):
        served(deployment("mlserver", []), FULLNAME)

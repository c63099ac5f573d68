"""Models in the chart: named by digest, never changed, and clear errors."""

import base64
import gzip
import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.chart.profiles import PROFILES, objects, pods
from tests.chart.rendering import (
    CHART,
    KIND,
    ROOT,
    Manifest,
    Refused,
    named,
    one,
    rendered,
    setting,
)

MODELS = ROOT / "model-settings"
VARIANTS = ("ml", "baseline")


def digest(variant: str, folder: Path = MODELS) -> str:
    """Return the digest of a model folder, as serving/artifact.py does."""
    return hashlib.sha256((folder / variant / "SHA256SUMS").read_bytes()).hexdigest()


def name(variant: str) -> str:
    """Return the name of the ConfigMap of a model of ours, without the release's."""
    return f"model-{variant}-{digest(variant)[:12]}"


def template(things: list[Manifest], component: str) -> Manifest:
    """Return the pod template of a component."""
    found: Manifest = one(things, "Deployment", component)["spec"]["template"]
    return found


def sources(things: list[Manifest], component: str) -> list[Manifest]:
    """Return the ConfigMaps of the volume `models`."""
    volumes = {each["name"]: each for each in template(things, component)["spec"]["volumes"]}
    return [source["configMap"] for source in volumes["models"]["projected"]["sources"]]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_model_is_a_config_map_of_its_folder(variant: str) -> None:
    """Every file of the folder is in it, byte by byte, and it says the digest."""
    thing = one(objects("kind"), "ConfigMap", name(variant))
    files = {path.name: path.read_bytes() for path in (MODELS / variant).iterdir()}
    assert {key: base64.b64decode(text) for key, text in thing["binaryData"].items()} == files
    assert thing["metadata"]["annotations"]["crypto-volatility/digest"] == digest(variant)
    assert thing["metadata"]["labels"]["crypto-volatility/variant"] == variant
    assert thing["metadata"]["labels"]["crypto-volatility/version"] == digest(variant)[:12]
    assert thing["immutable"] is True


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_model_outlives_revisions_and_the_release(variant: str) -> None:
    """It is no part of the manifest, so that upgrade, rollback and uninstall leave it."""
    annotations = one(objects("kind"), "ConfigMap", name(variant))["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade,pre-rollback"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert annotations["helm.sh/resource-policy"] == "keep"


@pytest.mark.parametrize("profile", [each for each in PROFILES if each != "models by image"])
def test_the_pod_template_names_the_models(profile: str) -> None:
    """Another model is another template, so that `rollout undo` brings the earlier one back."""
    annotations = template(objects(profile), "mlserver")["metadata"]["annotations"]
    for variant in VARIANTS:
        assert annotations[f"crypto-volatility/model-{variant}"] == digest(variant)[:12]
    service = one(objects(profile), "Service", "mlserver")["metadata"]["annotations"]
    for variant in VARIANTS:
        assert service[f"crypto-volatility/chart-model-{variant}"] == digest(variant)[:12]


def test_the_model_server_mounts_settings_and_both_models() -> None:
    """Its folder looks like model-settings/."""
    mounted = {
        item["path"]: (source["name"], item["key"])
        for source in sources(objects("kind"), "mlserver")
        for item in source["items"]
    }
    folder = {str(path.relative_to(MODELS)) for path in MODELS.rglob("*") if path.is_file()}
    assert set(mounted) == folder - {"promotions.jsonl"}
    settings = mounted["settings.json"][0].removeprefix("crypto-volatility-")
    text = one(objects("kind"), "ConfigMap", settings)["data"]["settings.json"]
    assert text == (MODELS / "settings.json").read_text()
    for path, (config_map, key) in mounted.items():
        variant, _, file = path.rpartition("/")
        if variant:
            assert (config_map, key) == (f"crypto-volatility-{name(variant)}", file)


def test_the_adapter_mounts_the_baseline_alone() -> None:
    """It answers by the baseline when MLServer is away, and needs no other."""
    (source,) = sources(objects("kind"), "adapter")
    assert source["name"] == f"crypto-volatility-{name('baseline')}"
    assert {item["path"].split("/")[0] for item in source["items"]} == {"baseline"}
    annotations = template(objects("kind"), "adapter")["metadata"]["annotations"]
    assert annotations["crypto-volatility/model-baseline"] == digest("baseline")[:12]


def test_drift_mounts_every_kept_model_and_bears_one_that_is_gone() -> None:
    """Each has a folder of its own, so that what serves after an undo has its reference."""
    found = sources(objects("kind"), "drift")
    assert all(source["optional"] for source in found)
    folders = {item["path"].split("/")[0] for source in found for item in source["items"]}
    assert folders == {f"{variant}-{digest(variant)[:12]}" for variant in VARIANTS}


@pytest.mark.parametrize("length", [12, 64])
def test_the_charts_own_digest_may_be_named(length: int) -> None:
    """A version or a whole digest of the chart's own model is taken."""
    things = rendered(*setting(f"serving.models.ml.digest={digest('ml')[:length]}"))
    annotations = template(things, "mlserver")["metadata"]["annotations"]
    assert annotations["crypto-volatility/model-ml"] == digest("ml")[:12]


@pytest.mark.parametrize("asked", ["0" * 12, "0" * 64, f"{digest('ml')[:12]}{'0' * 52}"])
def test_a_digest_that_nobody_has_is_refused(asked: str) -> None:
    """The error says what was asked for and what there is."""
    message = f"serving.models.ml.digest: found no model {asked}; expected the chart's own"
    with pytest.raises(Refused, match=message):
        rendered("--set-string", f"serving.models.ml.digest={asked}")


def own_chart(folder: Path) -> Path:
    """Return a copy of the chart whose files may be changed."""
    return Path(shutil.copytree(CHART, folder / "crypto-volatility"))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (1_048_576, r"files/models/ml has \d+ bytes, more than the 1048576 of a ConfigMap.*image"),
        (300_000, r"models in files/models take about \d+ bytes of the 800000.*promote"),
    ],
)
def test_a_model_that_is_too_large_is_refused(tmp_path: Path, size: int, message: str) -> None:
    """The error says the size, the limit and the way out, before Kubernetes or Helm stumble."""
    chart = own_chart(tmp_path)
    (chart / "files/models/ml/model.joblib").write_bytes(bytes(size))
    with pytest.raises(Refused, match=message):
        rendered(chart=str(chart))


def test_a_release_fits_into_helms_secret() -> None:
    """Helm keeps chart and manifest of a revision in one Secret of 1 MiB; half of it is left."""
    manifest = yaml.safe_dump_all(rendered("-f", KIND))
    files = [path for path in CHART.rglob("*") if path.is_file()]
    chart = [base64.b64encode(path.read_bytes()).decode() for path in files]
    release = gzip.compress(json.dumps({"manifest": manifest, "chart": chart}).encode())
    assert len(base64.b64encode(release)) < 700_000


def test_a_changed_model_is_another_template(tmp_path: Path) -> None:
    """Another folder has another digest, another ConfigMap and another pod template."""
    chart = own_chart(tmp_path)
    sums = chart / "files/models/ml/SHA256SUMS"
    sums.write_text(sums.read_text() + "\n")
    version = digest("ml", chart / "files/models")[:12]
    things = rendered(chart=str(chart))
    annotations = template(things, "mlserver")["metadata"]["annotations"]
    assert annotations["crypto-volatility/model-ml"] == version != digest("ml")[:12]
    assert f"model-ml-{version}" in named(things, "ConfigMap")


def test_models_may_come_in_an_image() -> None:
    """Named by tag in the pod template, copied before the start, and no ConfigMap of them."""
    things = objects("models by image")
    for component in ("mlserver", "adapter", "drift"):
        first, *_ = pods("models by image")[f"Deployment/crypto-volatility-{component}"][
            "initContainers"
        ]
        assert first["image"] == "models:1"
    annotations = template(things, "mlserver")["metadata"]["annotations"]
    assert annotations["crypto-volatility/model-image"] == "models:1"
    assert not [each for each in named(things, "ConfigMap") if each.startswith("model-")]

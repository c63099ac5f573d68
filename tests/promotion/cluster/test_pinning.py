"""`python -m promotion pin`: models named by the chart's values, with their ConfigMaps for Git."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from promotion.cluster.errors import ClusterError
from promotion.cluster.model_map import model_map, restore
from promotion.cluster.pinning import plain, release_named, values_of
from promotion.commands import pin
from promotion.config import PromotionSettings
from serving.artifact import load_folder
from serving.control import VARIANTS
from tests.promotion.cluster.fake import FakeCluster
from tests.promotion.cluster.fake_objects import body_of

Say = Callable[..., int]


def pinned(text: str) -> dict[str, dict[str, object]]:
    """Return what values say of the models."""
    found: dict[str, dict[str, object]] = yaml.safe_load(text)["serving"]["models"]
    return found


def test_the_values_say_digest_and_files(pairs: list[Path]) -> None:
    """A digest of digits alone stays text; the files are those of the ConfigMap."""
    bodies = {variant: body_of(pairs[0] / variant) for variant in VARIANTS}
    bodies["ml"]["metadata"]["annotations"]["crypto-volatility/digest"] = "1" * 64
    found = pinned(values_of(bodies))
    assert found["ml"]["digest"] == "1" * 64
    assert found["baseline"]["digest"] == load_folder(pairs[0] / "baseline").info.digest
    assert tuple(found["ml"]["files"]) == model_map(bodies["ml"]).files  # type: ignore[arg-type]


def test_a_model_without_a_digest_is_refused(pairs: list[Path]) -> None:
    """The error names the ConfigMap."""
    bodies = {variant: body_of(pairs[0] / variant) for variant in VARIANTS}
    del bodies["ml"]["metadata"]["annotations"]["crypto-volatility/digest"]
    with pytest.raises(ClusterError, match=r"-model-ml-.*found no annotation"):
        values_of(bodies)


def test_a_config_map_for_git_has_nothing_of_the_server_or_helm(pairs: list[Path]) -> None:
    """What was added on the way is left out, and its bytes are the model's."""
    body = body_of(pairs[0] / "ml")
    body["metadata"] |= {"uid": "1", "managedFields": []}
    body["metadata"]["annotations"] |= {"helm.sh/hook": "x", "meta.helm.sh/release-name": "cv"}
    found = plain(body)
    assert set(found["metadata"]) == {"name", "namespace", "labels", "annotations"}
    kept = {"helm.sh/resource-policy", "crypto-volatility/digest"}
    assert set(found["metadata"]["annotations"]) == kept
    assert found["binaryData"] == body["binaryData"] and found["immutable"] is True


@pytest.mark.parametrize(
    ("name", "fullname"),
    [("crypto-volatility", "crypto-volatility"), ("desk", "desk-crypto-volatility")],
)
def test_a_release_is_called_as_the_chart_does(name: str, fullname: str) -> None:
    """The release's name, with the chart's behind it where it lacks that."""
    assert release_named(name, "space").fullname == fullname


def test_what_is_served_can_be_pinned(
    cluster: FakeCluster,
    say: Say,
    pairs: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After a promotion: the digests of its models, and ConfigMaps that restore them."""
    assert say("promote") == 0
    capsys.readouterr()
    assert say("pin", "--config-maps", str(tmp_path / "git")) == 0
    found = pinned(capsys.readouterr().out)
    for variant in VARIANTS:
        info = load_folder(pairs[1] / variant).info
        assert found[variant]["digest"] == info.digest
        (path,) = (tmp_path / "git").glob(f"*-model-{variant}-{info.version}.json")
        assert restore(json.loads(path.read_text()), tmp_path / variant).info.digest == info.digest


def test_a_served_model_whose_config_map_is_gone_is_named(cluster: FakeCluster, say: Say) -> None:
    """Pods run on without it, but it cannot be pinned."""
    cluster.objects["configmaps"].clear()
    with pytest.raises(ClusterError, match=r"found no ConfigMap cv-model-.*, expected it"):
        say("pin")


def run(*words: str, settings: PromotionSettings) -> int:
    """Run the command without a cluster."""
    parser = argparse.ArgumentParser()
    pin.add(parser.add_subparsers())
    options = parser.parse_args(["pin", *words])
    code: int = options.run(options, settings)
    return code


def test_a_folder_can_be_pinned_without_a_cluster(
    settings: PromotionSettings,
    pairs: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its ConfigMaps are those that a promotion into the release would make."""
    words = ("--config-maps", str(tmp_path), "--release", "desk", "--namespace", "space")
    assert run(str(pairs[2]), *words, settings=settings) == 0
    found = pinned(capsys.readouterr().out)
    info = load_folder(pairs[2] / "ml").info
    assert found["ml"]["digest"] == info.digest
    body = json.loads(
        (tmp_path / f"desk-crypto-volatility-model-ml-{info.version}.json").read_text()
    )
    assert body["metadata"]["namespace"] == "space"
    assert body["metadata"]["labels"]["app.kubernetes.io/instance"] == "desk"
    assert body["binaryData"] == body_of(pairs[2] / "ml")["binaryData"]


def test_one_model_alone_is_refused(settings: PromotionSettings, pairs: list[Path]) -> None:
    """Both are pinned together."""
    with pytest.raises(ClusterError, match="found no model baseline, expected both"):
        run(str(pairs[2] / "ml"), settings=settings)

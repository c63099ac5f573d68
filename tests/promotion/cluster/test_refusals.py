"""What is refused before the cluster is changed, or goes on with a warning."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promotion.cluster.model_map import LIMIT
from tests.promotion.cluster.fake import (
    FakeCluster,
    last_line,
)
from tests.promotion.cluster.fake_objects import (
    FULLNAME,
    deployment,
    named,
)

Say = Callable[..., int]
Captured = pytest.CaptureFixture[str]


def test_equal_bytes_are_there_already(cluster: FakeCluster, say: Say, capsys: Captured) -> None:
    """A model that was promoted before, and is kept, is not made again."""
    say("promote")
    say("promote", "--to-previous")
    assert say("promote") == 0
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body["metadata"]["annotations"].update({"crypto-volatility/digest": "0" * 64}),
        lambda body: body["binaryData"].update({"model.json": "e30="}),
        lambda body: body.update({"immutable": False}),
    ],
)
def test_other_bytes_by_that_name_are_an_error(
    cluster: FakeCluster,
    say: Say,
    pairs: list[Path],
    capsys: Captured,
    spoil: Callable[[Any], None],
) -> None:
    """A ConfigMap by the new model's name must be that model; else nothing changes."""
    say("promote")
    say("promote", "--to-previous")
    spoil(cluster.objects["configmaps"][f"{FULLNAME}-model-ml-{named(pairs[1])['ml']}"])
    assert say("promote") == 1
    assert f"ConfigMap {FULLNAME}-model-ml-" in last_line(capsys)
    assert cluster.serving() == [named(pairs[0])] * 2


def test_going_back_needs_the_models(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: Captured
) -> None:
    """Models that someone deleted cannot be gone back to; what serves stays."""
    say("promote")
    del cluster.objects["configmaps"][f"{FULLNAME}-model-ml-{named(pairs[0])['ml']}"]
    assert say("promote", "--to-previous") == 1
    assert "any more" in last_line(capsys)
    assert cluster.serving() == [named(pairs[1])] * 2


def test_a_lost_live_model_is_said(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: Captured
) -> None:
    """Where the ConfigMap that serves is gone, promoting is the way out, with a warning."""
    del cluster.objects["configmaps"][f"{FULLNAME}-model-ml-{named(pairs[0])['ml']}"]
    assert say("promote") == 0
    assert "warning   found no ConfigMap" in capsys.readouterr().err


def test_a_damaged_folder_is_refused(
    cluster: FakeCluster, say: Say, settings: Any, tmp_path: Path, capsys: Captured
) -> None:
    """A changed byte is found before the cluster is touched."""
    copy = tmp_path / "copy"
    shutil.copytree(settings.out, copy)
    (copy / "ml" / "model.json").write_text("{}")
    assert say("promote", str(copy)) == 1
    assert "SHA-256" in last_line(capsys)
    assert not [said for said in cluster.asked if not said.startswith("GET")]


def test_a_large_model_is_refused(
    cluster: FakeCluster, say: Say, make_run: Callable[..., Path], tmp_path: Path, capsys: Captured
) -> None:
    """Over 1 MiB the sizes are said, and what to do instead."""
    note = {"note": "x" * LIMIT}
    run = make_run(tmp_path / "large", 1, logistic_regression=note)
    assert say("promote", "--run-folder", str(run)) == 1
    line = last_line(capsys)
    assert "card.json 1,0" in line and "expected at most 1,048,576" in line
    assert "serving.models.image" in line


def test_another_tau_is_refused(
    cluster: FakeCluster, say: Say, make_run: Callable[..., Path], tmp_path: Path, capsys: Captured
) -> None:
    """A model alone must mean the same spikes as the one that stays."""
    other = {"tau": {"BTC-USD": 0.5}}
    run = make_run(tmp_path / "run", 1, logistic_regression=other)
    folder = run / "candidates" / "logistic_regression"
    assert say("promote", str(folder)) == 1
    assert "τ" in last_line(capsys)


def test_a_name_that_is_nothing(cluster: FakeCluster, say: Say, capsys: Captured) -> None:
    """A word that is neither a run nor a folder says what was looked for."""
    assert say("promote", "nowhere") == 1
    assert "found no run folder" in last_line(capsys)


def test_several_releases_must_be_named(cluster: FakeCluster, say: Say, capsys: Captured) -> None:
    """Two releases in a namespace are told apart by --release."""
    other = deployment("mlserver", [])
    other["metadata"] |= {"name": "other-mlserver", "uid": "other"}
    other["metadata"]["labels"] = other["metadata"]["labels"] | {
        "app.kubernetes.io/instance": "other"
    }
    cluster.objects["deployments"]["other-mlserver"] = other
    assert say("promote") == 1
    assert "found the releases cv, other" in last_line(capsys)
    assert say("promote", "--release", "cv") == 0
    assert say("promote", "--release", "third") == 1
    assert "of release third" in last_line(capsys)


def test_models_by_image_are_not_ours(cluster: FakeCluster, say: Say, capsys: Captured) -> None:
    """Where pods copy their models out of an image, the way to change them is said."""
    cluster.server()["spec"]["template"]["spec"]["volumes"] = [{"name": "models", "emptyDir": {}}]
    assert say("promote") == 1
    assert "serving.models.image" in last_line(capsys)


def test_no_replicas_to_verify_by(cluster: FakeCluster, say: Say, capsys: Captured) -> None:
    """A Deployment scaled to nothing can score nothing."""
    cluster.server()["spec"]["replicas"] = 0
    assert say("promote") == 1
    assert "found 0 replicas" in last_line(capsys)

"""An API that refuses, pauses, loses an answer, hangs, or is not there."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from featurizer.features import NAMES
from promotion.cluster.access import ReleaseSelector, api_of
from promotion.cluster.client import ClusterClient, open_cluster
from promotion.cluster.errors import ClusterAway, ClusterError
from tests.promotion.cluster.fake import (
    LOST,
    ONE_COMMAND,
    PATCH,
    PATCHED,
    FakeCluster,
    Once,
    last_line,
)
from tests.promotion.cluster.fake_objects import (
    named,
)

Say = Callable[..., int]
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ("GET .*/deployments$", 403, "may not list deployments in namespace space"),
        ("GET .*/deployments$", 401, "does not know who asks"),
        ("POST .*/configmaps", 403, "may not create ConfigMap"),
        ("POST .*/configmaps", 422, "found status 422"),
        (PATCH, 403, "may not patch Deployment cv-mlserver"),
        (PATCH, 404, "patch Deployment cv-mlserver in namespace space"),
    ],
)
def test_a_refusal_is_explained(
    cluster: FakeCluster,
    say: Say,
    pairs: list[Path],
    capsys: Captured,
    request_: str,
    status: int,
    words: str,
) -> None:
    """What the API server refuses is one line that says what was asked, and nothing changes."""
    cluster.fail(request_, status, times=100)
    assert say("promote") == 1
    assert words in last_line(capsys)
    assert cluster.serving() == [named(pairs[0])] * 2


def test_a_forbidden_port_forward_changes_nothing(
    cluster: FakeCluster, say: Say, capsys: Captured
) -> None:
    """Who may not ask the pods could not verify: the Role is named before anything is changed."""
    cluster.fail("portforward", 403, times=100)
    assert say("promote") == 1
    line = last_line(capsys)
    assert "may not forward ports" in line and "On Kubernetes" in line
    assert not [said for said in cluster.asked if not said.startswith("GET")]


def test_a_port_forward_that_hangs_is_given_up(cluster: FakeCluster, tmp_path: Path) -> None:
    """A handshake that never ends costs its time, not the promotion's."""
    cluster.hanging = True
    api, namespace = api_of(ReleaseSelector(kubeconfig=cluster.kubeconfig(tmp_path / "config")))
    ours = ClusterClient(api, namespace, handshake_seconds=0.1)
    name = cluster.pods()[0]["metadata"]["name"]
    with pytest.raises(ClusterAway, match="TimeoutError"):
        ours.score(name, "ml", [[None] * len(NAMES)])
    assert ours.deployment_of("mlserver") is not None


@pytest.mark.exhaustive
def test_pods_that_cannot_be_asked_are_undone(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: Captured
) -> None:
    """Where no new pod answers in time, the earlier template is put back, and said to be so."""
    cluster.hooks.append(Once(PATCHED, lambda: cluster.fail("portforward", 503, times=10**6)))
    assert say("promote", "--timeout", "3") == 1
    said = capsys.readouterr().err
    assert "cannot forward port 8080" in said and "has its template with ml" in said
    assert cluster.serving() == [named(pairs[0])] * 2


@pytest.mark.parametrize("request_", ["GET .*/pods$", "portforward", "GET .*/deployments/"])
def test_a_pause_of_the_api_is_borne(
    cluster: FakeCluster, say: Say, pairs: list[Path], request_: str
) -> None:
    """While the rollout runs, answers that fail for a moment are asked for again."""
    cluster.hooks.append(Once(PATCHED, lambda: cluster.fail(request_, 503, times=3)))
    assert say("promote") == 0
    assert cluster.serving() == [named(pairs[1])] * 2


def test_a_lost_answer_is_found_again(cluster: FakeCluster, say: Say, pairs: list[Path]) -> None:
    """A patch that was carried out, but whose answer was lost, is not made twice."""
    cluster.fail(PATCH, LOST)
    assert say("promote") == 0
    assert cluster.serving() == [named(pairs[1])] * 2
    assert len({each["metadata"]["name"] for each in cluster.pods()}) == 2


def test_no_cluster(tmp_path: Path) -> None:
    """Without a kubeconfig, and outside a pod, both are named."""
    with pytest.raises(ClusterError, match="kubeconfig"):
        open_cluster(ReleaseSelector(kubeconfig=tmp_path / "none"))


def test_nobody_answers(cluster: FakeCluster, say: Say, tmp_path: Path, capsys: Captured) -> None:
    """An API server that is away is one line."""
    cluster.port = 1
    cluster.kubeconfig(tmp_path / "kubeconfig")
    assert say("promote") == 1
    assert "found no answer from http://127.0.0.1:1" in last_line(capsys)


@pytest.mark.process
def test_the_package_is_missing(tmp_path: Path) -> None:
    """Without the package kubernetes the command says what to install; nothing else needs it."""
    script = "import sys; sys.modules['kubernetes'] = None\n" + ONE_COMMAND.format("promote")
    words = ["promote", "--to", "kubernetes", "--to-previous"]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert "crypto-volatility[kubernetes]" in done.stderr and "Traceback" not in done.stderr

"""Others at work on the same Deployment, and the end wished for on the way."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from plumbing.stop import Stop
from promotion.cluster.record import PROMOTION, record_of
from tests.promotion.cluster.fake import (
    ONE_COMMAND,
    PATCHED,
    FakeCluster,
    Once,
    last_line,
)
from tests.promotion.cluster.fake_objects import (
    FULLNAME,
    named,
)

Say = Callable[..., int]
Captured = pytest.CaptureFixture[str]


def change(cluster: FakeCluster) -> None:
    """Let someone else change the pod template."""
    server = cluster.server()
    server["spec"]["template"]["metadata"]["annotations"]["theirs"] = "yes"
    server["metadata"]["generation"] += 1
    server["metadata"]["resourceVersion"] += "1"


@pytest.mark.parametrize("number", [1, 2])
def test_a_change_by_someone_else_stands(
    cluster: FakeCluster, say: Say, capsys: Captured, number: int
) -> None:
    """Before our patch or after it: theirs is left as it is, and we fail and say so."""
    get = f"GET /apis/apps/v1/namespaces/space/deployments/{FULLNAME}-mlserver"
    cluster.hooks.append(Once(get, lambda: change(cluster), number=3 * number - 2))
    assert say("promote") == 1
    assert "someone else changed it" in last_line(capsys)
    assert cluster.server()["spec"]["template"]["metadata"]["annotations"]["theirs"] == "yes"


def test_the_second_of_two_promotions_fails(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: Captured
) -> None:
    """While one is not over, also once its pods run, another is told who is at it."""
    say("promote", "--who", "ada")
    record = record_of(cluster.server())
    assert record is not None
    text = json.loads(record.text()) | {"until": "2999-01-01T00:00:00+00:00"}
    cluster.server()["metadata"]["annotations"][PROMOTION] = json.dumps(text)
    assert say("promote", str(pairs[2]), "--who", "bob") == 1
    line = last_line(capsys)
    assert "found a promotion under way" in line and "by ada" in line
    assert cluster.serving() == [named(pairs[1])] * 2


def test_one_that_died_does_not_block_for_ever(
    cluster: FakeCluster, say: Say, pairs: list[Path]
) -> None:
    """A promotion whose time is over, though it never said so, keeps nobody from promoting."""
    say("promote")
    record = record_of(cluster.server())
    assert record is not None
    text = json.loads(record.text()) | {"until": "2020-01-01T00:00:00+00:00"}
    cluster.server()["metadata"]["annotations"][PROMOTION] = json.dumps(text)
    assert say("promote", str(pairs[2])) == 0


def test_a_rollout_under_way_is_not_disturbed(
    cluster: FakeCluster, say: Say, pairs: list[Path], capsys: Captured
) -> None:
    """While a helm upgrade, say, rolls pods, a promotion waits for another day."""
    cluster.stalls.add(named(pairs[0])["ml"])
    change(cluster)
    assert say("promote") == 1
    assert "found a rollout under way" in last_line(capsys)


@pytest.mark.parametrize(
    ("request_", "number"),
    [(PATCHED, 1), ("portforward", 2), (PATCHED.replace("mlserver", "adapter"), 1)],
)
def test_the_end_on_the_way_undoes(
    cluster: FakeCluster,
    say: Say,
    pairs: list[Path],
    capsys: Captured,
    request_: str,
    number: int,
) -> None:
    """Ctrl-C or SIGTERM while pods roll puts the earlier models back, to the end."""
    stop = Stop()
    cluster.hooks.append(Once(request_, stop.request, number))
    assert say("promote", stop=stop) == 1
    said = capsys.readouterr().err
    assert "ended on the way" in said and "undone    cv-mlserver" in said
    assert cluster.serving() == [named(pairs[0])] * 2


def test_the_end_before_changes_nothing(cluster: FakeCluster, say: Say, capsys: Captured) -> None:
    """Wished for early enough, nothing is made and nothing is undone."""
    stop = Stop()
    stop.request()
    assert say("promote", stop=stop) == 1
    assert "before anything was changed" in last_line(capsys)
    assert len(cluster.objects["configmaps"]) == 2


def started(cluster: FakeCluster, pair: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """Start the command itself, to promote this pair."""
    kubeconfig = cluster.kubeconfig(tmp_path / "config")
    words = ["promote", "--to", "kubernetes", "--kubeconfig", kubeconfig, "--out", pair]
    command = [sys.executable, "-c", ONE_COMMAND.format("promote"), *map(str, words)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.process
def test_a_signal_undoes(
    cluster: FakeCluster, pairs: list[Path], tmp_path: Path, number: signal.Signals
) -> None:
    """The command, told to end while pods roll, or left by its terminal, undoes and gives 1."""
    cluster.stalls.add(named(pairs[1])["ml"])
    with started(cluster, pairs[1], tmp_path) as process:
        cluster.hooks.append(Once(PATCHED, lambda: process.send_signal(number)))
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "undone    cv-mlserver" in said and "Traceback" not in said
    assert cluster.serving() == [named(pairs[0])] * 2


@pytest.mark.process
def test_nobody_reads_any_more(cluster: FakeCluster, pairs: list[Path], tmp_path: Path) -> None:
    """A reader that goes away, such as head, keeps nothing from being undone."""
    cluster.refuses.add(named(pairs[1])["ml"])
    with started(cluster, pairs[1], tmp_path) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        assert process.wait(timeout=120) == 1
    assert cluster.serving() == [named(pairs[0])] * 2


def test_a_change_of_status_is_no_race(cluster: FakeCluster, say: Say, pairs: list[Path]) -> None:
    """A Deployment that changed between reading and patching, but not its template, is patched."""

    def touch() -> None:
        cluster.server()["metadata"]["resourceVersion"] = "999"

    cluster.hooks.append(Once(PATCHED, touch))
    assert say("promote") == 0
    assert cluster.serving() == [named(pairs[1])] * 2

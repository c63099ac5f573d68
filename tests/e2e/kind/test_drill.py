"""Install, promote, undo, switch, kill, drain: no request to ``/predict`` may fail.

Run by `make e2e`, in the order of this file and of this folder; each test goes on from the last.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from featurizer.features import NAMES
from tests.e2e.kind.cluster import CommandError
from tests.e2e.kind.drill import REPLICAS, Drill, until
from tests.e2e.models import Model
from tests.e2e.stack import UNKNOWN_ROW

DAMAGED = "bad000000000"


def test_install(drill: Drill) -> None:
    """`make kind` installs, tests the release, and shows an answer of `/predict` and of V2."""
    with drill.report.step("make kind: install, helm test, ask", 5):
        shown = drill.cluster.make("kind")
    assert '"model_variant":"ml"' in shown and '"model_name":"baseline"' in shown
    brokers = [pod.node for pod in drill.cluster.pods("kafka")]
    assert len(set(brokers)) == 3
    assert drill.in_sync()


def test_v2_passes(drill: Drill) -> None:
    """V2 inference goes through the adapter; its repository does not."""
    tensor = {"name": "features", "datatype": "FP64", "shape": [1, len(NAMES)]}
    body = json.dumps({"inputs": [{**tensor, "data": [0.001] * len(NAMES)}]}).encode()
    status, answer = drill.ask("adapter", "/v2/models/ml/infer", body)
    assert status == 200 and len(answer["outputs"][0]["data"]) == 1
    assert drill.ask("adapter", "/v2/repository/index", b"{}")[0] == 404


def test_predictions_and_outcomes_arrive(drill: Drill) -> None:
    """The simulator's market becomes predictions, and outcomes after 60 s of event time."""
    with drill.report.step("predictions and outcomes of the simulator's market"):
        drill.flows()
        until(drill.outcomes)
    assert drill.ask("adapter", "/predict", UNKNOWN_ROW)[0] == 200


def test_a_model_is_promoted(drill: Drill, first: Model, second: Model) -> None:
    """The new model serves, with its own golden score, and no request failed on the way."""
    drill.start_load()
    before = drill.serves(first)
    with drill.report.step("promote a new model"):
        promote(drill, second)
        until(lambda: drill.settled(second))
        after = drill.serves(second)
    assert after != before
    told = drill.load.seen("promote a new model")
    assert told.versions() <= {("ml", first.version), ("ml", second.version)}
    drill.one_score_each()


def promote(drill: Drill, model: Model) -> None:
    """Promote as a person does."""
    cluster = drill.cluster
    where = ("--context", f"kind-{cluster.name}", "--namespace", cluster.namespace)
    command = (sys.executable, "-m", "promotion", "promote", str(model.folder))
    cluster.run(*command, "--to", "kubernetes", *where, "--release", cluster.release)


def test_undo_restores_the_model(drill: Drill, first: Model, second: Model) -> None:
    """`kubectl rollout undo` brings back the earlier model: the same golden score, to the bit."""
    told = drill.load.seen("promote a new model").scores
    before = {score for _, version, score in told if version == first.version}
    with drill.report.step("kubectl rollout undo"):
        drill.cluster.kubectl("rollout", "undo", drill.cluster.deployment("mlserver"))
        drill.cluster.rolled("mlserver")
        until(lambda: drill.settled(first))
        drill.serves(first)
    drill.one_score_each()
    assert before == {drill.served()[2]}


def test_a_damaged_model_is_refused(
    drill: Drill, first: Model, second: Model, tmp_path: Path
) -> None:
    """Promotion looks before it acts: nothing in the cluster changes."""
    folder = shutil.copytree(second.folder, tmp_path / "damaged")
    damage(folder / "ml" / "model.json")
    before = drill.cluster.get("deployment", drill.cluster.named("mlserver"))
    with drill.report.step("promote a damaged model: refused"):
        with pytest.raises(CommandError, match="SHA-256"):
            promote(drill, Model(folder, "", "", 0.0))
        drill.serves(first)
    after = drill.cluster.get("deployment", drill.cluster.named("mlserver"))
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def damage(path: Path) -> None:
    """Change one digit."""
    path.write_text(path.read_text().replace("0.", "1.", 1))


def test_a_bad_model_is_never_served(drill: Drill, first: Model) -> None:
    """One that gets past promotion never becomes ready and never answers; undone, it is gone."""
    step = "bad model rolled out by hand, undone"
    with drill.report.step(step):
        roll_out_damaged(drill, first)
        until(lambda: pods_of(drill, DAMAGED))
        until(lambda: failing(drill))
        assert not any(pod.ready for pod in pods_of(drill, DAMAGED))
        drill.cluster.kubectl("rollout", "undo", drill.cluster.deployment("mlserver"))
        until(lambda: drill.settled(first))
    assert drill.load.seen(step).versions() == {("ml", first.version)}


def pods_of(drill: Drill, version: str) -> list[Any]:
    """Return the model server's pods whose template names this version."""
    return [pod for pod in drill.cluster.pods("mlserver") if pod.models.get("ml") == version]


def failing(drill: Drill) -> bool:
    """Say whether a damaged pod's container has ended, or is kept from starting again."""
    names = [pod.name for pod in pods_of(drill, DAMAGED)]
    told = [drill.cluster.get("pod", name)["status"] for name in names]
    states = [each for status in told for each in status.get("containerStatuses", [])]
    return any(state["restartCount"] > 0 or "terminated" in state["state"] for state in states)


def roll_out_damaged(drill: Drill, model: Model) -> None:
    """Do by hand what promotion does, with an artifact whose model.json is not what it was."""
    prefix = f"{drill.cluster.release}-model-ml-"
    good = drill.cluster.get("configmap", f"{prefix}{model.version}")
    damaged = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{prefix}{DAMAGED}", "labels": good["metadata"]["labels"]},
        "binaryData": {**good["binaryData"], "model.json": "e30K"},
    }
    drill.cluster.kubectl("apply", "--filename", "-", stdin=json.dumps(damaged))
    name = drill.cluster.named("mlserver")
    template = drill.cluster.get("deployment", name)["spec"]["template"]
    volumes = json.dumps(template["spec"]["volumes"])
    changed = {
        "metadata": {"annotations": {"crypto-volatility/model-ml": DAMAGED}},
        "spec": {"volumes": json.loads(volumes.replace(prefix + model.version, prefix + DAMAGED))},
    }
    patch = json.dumps({"spec": {"template": changed}})
    drill.cluster.kubectl("patch", "deployment", name, "--type", "merge", "--patch", patch)


@pytest.mark.parametrize("variant", ["baseline", "ml"])
def test_the_variant_changes(drill: Drill, variant: str) -> None:
    """The topic `control` switches what serves, without a restart."""
    before = {pod.uid for pod in drill.cluster.pods("adapter")}
    with drill.report.step(f"switch to {variant}"):
        drill.cluster.execute("adapter", "python", "-m", "adapter", "variant", variant)
        until(lambda: all(drill.served()[0] == variant for _ in range(6)))
    assert {pod.uid for pod in drill.cluster.pods("adapter")} == before


@pytest.mark.parametrize("component", REPLICAS)
def test_a_pod_is_deleted(drill: Drill, component: str) -> None:
    """A pod that is asked to end takes no request with it, and its like comes back."""
    with drill.report.step(f"delete a pod: {component}"):
        gone = drill.cluster.pods(component)[0].name
        drill.cluster.kubectl("delete", "pod", gone, "--wait=false")
        drill.replaced(component, REPLICAS[component], gone)
        drill.flows()


@pytest.mark.parametrize("component", [name for name in REPLICAS if name != "adapter"])
def test_a_pod_is_killed(drill: Drill, component: str) -> None:
    """One that dies at once, too; an adapter's own requests under way would die with it."""
    with drill.report.step(f"kill a pod: {component}"):
        gone = drill.cluster.pods(component)[0].name
        drill.cluster.kubectl("delete", "pod", gone, "--grace-period=0", "--force")
        drill.replaced(component, REPLICAS[component], gone)
        drill.flows()


def test_a_node_is_drained(drill: Drill) -> None:
    """With a worker drained all serve on from the other nodes; its broker waits for it."""
    node = next(p.node for p in drill.cluster.pods("kafka") if "control-plane" not in p.node)
    drain = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout", "60s")
    try:
        with drill.report.step("drain a worker node"):
            drill.cluster.kubectl("drain", node, *drain)
            for component, count in REPLICAS.items():
                until(lambda: drill.cluster.ready(component, count))  # noqa: B023
            drill.flows()
        assert not [p for c in REPLICAS for p in drill.cluster.pods(c) if p.node == node]
    finally:
        drill.cluster.kubectl("uncordon", node)
    with drill.report.step("uncordon: its broker returns"):
        until(lambda: drill.cluster.ready("kafka", 3))
        until(drill.in_sync)
    assert node in {pod.node for pod in drill.cluster.pods("kafka")}

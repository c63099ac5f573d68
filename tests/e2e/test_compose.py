"""The system in containers: starts, answers, is watched, changes models, heals, and ends cleanly.

Run by `make compose-test`, in the order of this file; the last test ends the system.
"""

import base64
import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from featurizer.features import NAMES
from serving.artifact import load_folder
from tests.e2e.models import candidate_in
from tests.e2e.stack import PROJECT, Stack, until, until_none

OURS = "crypto-volatility/"
ONE_SHOT = "topics"
STREAM_BYTES = 320_000_000
READY_SECONDS = 120


def outcomes(stack: Stack) -> list[dict[str, Any]]:
    """Return the latest predictions whose 60 seconds have passed."""
    status, page = stack.ask("monitor", "/predictions?product=BTC-USD&limit=1000")
    found = page["predictions"] if status == 200 else []
    return [each for each in found if each.get("outcome")]


def newest(stack: Stack) -> int:
    """Return the event time of the newest prediction, in epoch microseconds."""
    status, latest = stack.ask("monitor", "/predictions/latest?product=BTC-USD")
    return int(latest["time_us"]) if status == 200 else 0


def prometheus(stack: Stack, path: str) -> Any:
    """Return the data of an answer of Prometheus' API."""
    status, body = stack.ask("prometheus", f"/api/v1/{path}")
    assert status == 200, body
    return body["data"]


def version_of(model: Path) -> str:
    """Return the version of a model folder."""
    return load_folder(model).info.version


@pytest.fixture(scope="module", params=[-0.5, 0.5], ids=["lower", "higher"])
def candidate(
    request: pytest.FixtureRequest, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model like the one in place but for its intercept, with golden scores of its own."""
    folder = tmp_path_factory.mktemp("candidate")
    return candidate_in(folder, stack.models, request.param).folder / "ml"


def test_everything_is_healthy(stack: Stack) -> None:
    """`up --wait` ends in time, with every container healthy and the topics made."""
    states = {name: each["State"] for name, each in stack.containers().items()}
    assert states.pop(ONE_SHOT)["ExitCode"] == 0
    assert {name: state["Health"]["Status"] for name, state in states.items()} == dict.fromkeys(
        states, "healthy"
    )
    assert stack.ready_seconds < READY_SECONDS


def test_our_containers_can_do_little(stack: Stack) -> None:
    """Ours run as a user without rights, on a read-only root, within a memory limit."""
    for name, each in stack.containers().items():
        host = each["HostConfig"]
        assert host["Memory"] > 0, name
        if each["Config"]["Image"].startswith(OURS):
            assert each["Config"]["User"] == "10001:10001", name
            assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], name


def test_only_loopback_is_published(stack: Stack) -> None:
    """Five ports are published, all on 127.0.0.1."""
    bound = [
        (name, binding["HostIp"])
        for name, each in stack.containers().items()
        for bindings in each["HostConfig"]["PortBindings"].values()
        for binding in bindings
    ]
    names = ("adapter", "grafana", "mlflow", "monitor", "prometheus")
    assert sorted(bound) == [(name, "127.0.0.1") for name in names]


def test_the_stream_image_is_small_and_has_no_model(stack: Stack) -> None:
    """The image of the services keeps its size, its labels, and no model or scikit-learn."""
    image = stack.containers()["adapter"]["Image"]
    (found,) = json.loads(stack.run("docker", "image", "inspect", image).stdout)
    assert found["Size"] <= STREAM_BYTES
    assert found["Config"]["Labels"]["org.opencontainers.image.version"]
    script = (
        "import pathlib, importlib.util as u\n"
        "assert u.find_spec('sklearn') is None\n"
        "assert not [*pathlib.Path('/app').rglob('model.json')]\n"
    )
    stack.compose("exec", "-T", "featurizer", "python", "-c", script)


def test_predict_answers(stack: Stack) -> None:
    """A row is scored by the model of the folder that MLServer reads."""
    status, body = stack.predict()
    assert status == 200
    assert 0 <= body["scores"][0] <= 1
    assert (body["model_variant"], body["version"]) == ("ml", version_of(stack.models / "ml"))


def test_v2_passes(stack: Stack) -> None:
    """V2 inference goes through the adapter; its repository does not."""
    data = [0.001] * len(NAMES)
    tensor = {"name": "features", "datatype": "FP64", "shape": [1, len(NAMES)], "data": data}
    body = json.dumps({"inputs": [tensor]}).encode()
    status, answer = stack.ask("adapter", "/v2/models/baseline/infer", body)
    assert status == 200 and len(answer["outputs"][0]["data"]) == 1
    assert answer["parameters"]["version"] == version_of(stack.models / "baseline")
    assert stack.ask("adapter", "/v2/repository/index", b"{}")[0] == 404


def test_predictions_meet_their_labels(stack: Stack) -> None:
    """Predictions flow, and outcomes follow once their 60 seconds of event time have passed."""
    before = until(lambda: newest(stack))
    until(lambda: newest(stack) > before)
    assert until(lambda: outcomes(stack))[0]["outcome"]["prediction_id"]


def test_all_targets_are_up(stack: Stack) -> None:
    """Prometheus reaches every service."""

    def down() -> dict[str, str]:
        targets = prometheus(stack, "targets")["activeTargets"]
        assert len(targets) > 8
        return {t["labels"]["job"]: t["lastError"] for t in targets if t["health"] != "up"}

    until_none(down)


def test_alerts_are_loaded(stack: Stack) -> None:
    """Rules evaluate without an error, and Prometheus knows its Alertmanager."""
    until(lambda: prometheus(stack, "alertmanagers")["activeAlertmanagers"])

    def not_well() -> dict[str, str]:
        return {
            rule["name"]: rule.get("lastError", rule["health"])
            for group in prometheus(stack, "rules")["groups"]
            for rule in group["rules"]
            if rule["health"] == "err" or (rule["health"] != "ok" and group["interval"] <= 60)
        }

    until_none(not_well, 90)
    kinds = {r["type"] for g in prometheus(stack, "rules")["groups"] for r in g["rules"]}
    assert kinds == {"alerting", "recording"}


def test_grafana_has_the_dashboards(stack: Stack) -> None:
    """Each file of grafana/dashboards is there by its uid."""
    request = urllib.request.Request(stack.url("grafana", "/api/search?type=dash-db"))
    request.add_header("Authorization", "Basic " + base64.b64encode(b"admin:admin").decode())
    with urllib.request.urlopen(request, timeout=10) as response:
        found = {each["uid"] for each in json.load(response)}
    files = Path("grafana/dashboards").glob("*.json")
    assert found >= {json.loads(path.read_text())["uid"] for path in files} != set()


def test_mlflow_answers_from_postgres(stack: Stack) -> None:
    """MLflow finds its default experiment, from this machine and by its name inside."""
    path, body = "/api/2.0/mlflow/experiments/search", b'{"max_results": 1}'
    status, answer = stack.ask("mlflow", path, body)
    assert status == 200 and answer["experiments"]
    script = "import urllib.request as u; u.urlopen('http://mlflow:5000/version')"
    stack.compose("exec", "-T", "monitor", "python", "-c", script)


def test_variants_change_without_a_failed_request(stack: Stack) -> None:
    """`make rollback` lets the baseline serve and back, under load."""
    with stack.load() as counts:
        for variant in ("baseline", "ml"):
            stack.make("rollback", f"VARIANT={variant}")
            until(lambda: stack.predict()[1].get("model_variant") == variant)  # noqa: B023
    assert {status for status, _, _ in counts} == {200}
    assert {variant for _, variant, _ in counts} == {"ml", "baseline"}


def test_a_model_is_deployed_without_a_failed_request(stack: Stack, candidate: Path) -> None:
    """`make deploy-model` and back, under load; whether its version sorts lower or higher."""
    before, after = version_of(stack.models / "ml"), version_of(candidate)
    with stack.load() as counts:
        stack.make("deploy-model", f"DIR={candidate}", "BECAUSE=a test")
        assert stack.predict()[1]["version"] == after
        stack.make("deploy-model", "TO=previous")
        assert stack.predict()[1]["version"] == before
    assert {(status, variant) for status, variant, _ in counts} == {(200, "ml")}
    assert {version for _, _, version in counts} == {before, after}


def test_a_damaged_model_is_refused(stack: Stack, candidate: Path, tmp_path: Path) -> None:
    """What does not check is not taken, and the old model goes on serving."""
    before = version_of(stack.models / "ml")
    damaged = shutil.copytree(candidate, tmp_path / "ml")
    (damaged / "model.json").write_text((damaged / "model.json").read_text().replace("0.", "1."))
    done = stack.make("deploy-model", f"DIR={damaged}", check=False)
    assert done.returncode != 0 and "SHA-256" in done.stderr
    assert version_of(stack.models / "ml") == before == stack.predict()[1]["version"]


def test_a_killed_service_comes_back(stack: Stack) -> None:
    """The featurizer is restarted after a kill, and predictions flow again."""
    restarts = stack.containers()["featurizer"]["RestartCount"]
    stack.kill("featurizer")
    until(lambda: stack.containers()["featurizer"]["RestartCount"] > restarts)
    before = newest(stack)
    until(lambda: newest(stack) > before)


def test_the_baseline_answers_while_the_model_server_is_away(stack: Stack) -> None:
    """With MLServer killed, `/predict` goes on with the same baseline, until MLServer is back."""
    with stack.load() as counts:
        stack.kill("mlserver")
        until(lambda: any(variant == "baseline" for _, variant, _ in counts))
        until(lambda: stack.predict()[1].get("model_variant") == "ml", 90)
    assert {status for status, _, _ in counts} == {200}
    fallen_back = {version for _, variant, version in counts if variant == "baseline"}
    assert fallen_back == {version_of(stack.models / "baseline")}


def test_everything_ends_by_itself(stack: Stack) -> None:
    """At SIGTERM our services drain and end with 0; `down -v` leaves nothing."""
    stack.compose("--profile", "*", "stop")
    codes = {
        name: each["State"]["ExitCode"]
        for name, each in stack.containers().items()
        if each["Config"]["Image"].startswith(OURS)
    }
    assert codes == dict.fromkeys(codes, 0)
    stack.compose("--profile", "*", "down", "--volumes")
    label = f"label=com.docker.compose.project={PROJECT}"
    for kind in ("container", "volume", "network"):
        command = ["docker", kind, "ls", "--quiet", "--filter", label]
        assert stack.run(*command, *(["--all"] if kind == "container" else [])).stdout == ""

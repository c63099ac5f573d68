"""Featurizer and scorer go from one replica to three while a market runs: the rows stay equal."""

import json

import pytest

from tests.e2e.kind import run
from tests.e2e.kind.drill import Drill, until
from tests.e2e.kind.report import Step
from tests.e2e.models import Model

SPEED = 7.0
SCALED = {"featurizer": 9102, "scorer": 9103}
"""Ports of their metrics."""
WORKED = """
import sys, urllib.request as u
text = u.urlopen(f"http://localhost:{sys.argv[1]}/metrics").read().decode()
print(sum(float(l.split()[-1]) for l in text.splitlines() if l.startswith(sys.argv[2])))
"""
METRICS = {"featurizer": "featurizer_rows_total", "scorer": "scorer_predictions_total"}


def test_a_second_run_begins(drill: Drill) -> None:
    """The same market once more, in topics of its own."""
    with drill.report.step("helm upgrade: fresh topics once more", 2):
        run.begin(drill, "three-", SPEED)
        until(lambda: drill.counts("predictions")["predictions"] > 0)


def test_three_replicas_share_the_work(drill: Drill) -> None:
    """Each replica owns partitions of its own, and each is seen to make rows or predictions."""
    with drill.report.step("scale featurizer and scorer to 3"):
        for component in SCALED:
            deployment = drill.cluster.deployment(component)
            drill.cluster.kubectl("scale", deployment, "--replicas", "3")
        for component in SCALED:
            until(lambda: drill.cluster.ready(component, 3))  # noqa: B023
        owners = until(lambda: shared(drill))
    with drill.report.step("each replica works") as step:
        worked = until(lambda: working(drill))
        step.note = "; ".join(shown(name, owners[name], worked[name]) for name in SCALED)
    assert run.state_of(drill) == "running", "the market ended before all replicas had worked"


def shared(drill: Drill) -> dict[str, dict[str, list[int]]] | None:
    """Return who owns which partitions, once three pods have all twelve between them."""
    owners: dict[str, dict[str, list[int]]] = json.loads(drill.ask_kafka("owners", *SCALED))
    for component, members in owners.items():
        addresses = {pod.address for pod in drill.cluster.pods(component)}
        every = sorted(number for numbers in members.values() for number in numbers)
        if set(members) != addresses or every != list(range(12)) or not all(members.values()):
            return None
    return owners


def shown(component: str, owners: dict[str, list[int]], made: dict[str, int]) -> str:
    """Say in short who has what: ``scorer: partitions 4+4+4, made 900+310+402``."""
    partitions = "+".join(str(len(numbers)) for numbers in owners.values())
    return f"{component}: partitions {partitions}, made {'+'.join(map(str, made.values()))}"


def working(drill: Drill) -> dict[str, dict[str, int]] | None:
    """Return how much each replica has made, once none is idle."""
    made = {component: made_by(drill, component) for component in SCALED}
    return made if all(all(counts.values()) for counts in made.values()) else None


def made_by(drill: Drill, component: str) -> dict[str, int]:
    """Return how many rows or predictions each pod of a component has made, by its own metrics."""
    found = {}
    for pod in drill.cluster.pods(component):
        asked = ("python", "-c", WORKED, str(SCALED[component]), METRICS[component])
        told = drill.cluster.kubectl("exec", pod.name, "--container", component, "--", *asked)
        found[pod.name] = int(float(told))
    return found


def test_the_rows_equal_one_replicas(drill: Drill, first: Model) -> None:
    """Nothing is lost or unequal, and the rows are those of the run with one replica."""
    with drill.report.step("the run ends; counted and compared", 4) as step:
        run.until_over(drill)
        found = run.counted(drill, first)
        same = found.rows_sha256 == drill.rows_sha256["one replica"]
        said = "equal those" if same else "are NOT those"
        step.note = f"{found}; all {found.rows} rows {said} of one replica, to the bit"
    assert found.repeats_equal, found.report
    assert same, step.note


def test_the_adapter_scales_by_load(drill: Drill) -> None:
    """With `autoscaling.mode: hpa` another adapter comes as the load asks for it."""
    if not drill.cluster.knows_load():
        drill.report.steps.append(Step("autoscaling", note="no metrics-server: not tried"))
        pytest.skip("no metrics-server: autoscaling not tried")
    eager = {"cpuPercent": 5, "minReplicas": 2, "maxReplicas": 3}
    with drill.report.step("helm upgrade: autoscaling.mode=hpa"):
        drill.cluster.upgrade({"autoscaling": {"mode": "hpa", "adapter": eager}})
        until(lambda: drill.cluster.ready("adapter", 3))
    scaler = drill.cluster.get("horizontalpodautoscaler", drill.cluster.named("adapter"))
    conditions = {each["type"]: each["status"] for each in scaler["status"]["conditions"]}
    assert conditions["ScalingActive"] == "True"

"""Replicas by load: autoscalers own the number, or nobody but the values does."""

import kubernetes_validate
import pytest

from tests.chart.rendering import KIND, RELEASE, Refused, named, one, rendered, setting
from tests.chart.teams.workloads import given

SCALED = ("adapter", "mlserver")
HPA = setting("autoscaling.mode=hpa")


def test_by_default_nothing_scales() -> None:
    """Without metrics-server an autoscaler would only complain."""
    assert not named(rendered(), "HorizontalPodAutoscaler")
    assert one(rendered(), "Deployment", "adapter")["spec"]["replicas"] == 1


@pytest.mark.parametrize("name", SCALED)
def test_an_autoscaler_finds_its_deployment(name: str) -> None:
    """It names a Deployment that is there, by apps/v1."""
    objects = rendered(*HPA)
    target = one(objects, "HorizontalPodAutoscaler", name)["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{RELEASE}-{name}"}
    assert name in named(objects, "Deployment")


def test_a_scaled_deployment_names_no_replicas() -> None:
    """An upgrade would else throw the autoscaler's number away; the others keep theirs."""
    deployments = named(rendered(*HPA), "Deployment")
    bare = {name for name, thing in deployments.items() if "replicas" not in thing["spec"]}
    assert bare == set(SCALED)


@pytest.mark.parametrize("name", SCALED)
def test_the_measure_is_cpu_of_what_is_requested(name: str) -> None:
    """Utilization needs a request; the target stays below what one process can use."""
    objects = rendered(*HPA, "--values", KIND)
    (metric,) = one(objects, "HorizontalPodAutoscaler", name)["spec"]["metrics"]
    assert metric["resource"]["name"] == "cpu"
    percent = metric["resource"]["target"]["averageUtilization"]
    (container,) = one(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"]
    requested = int(container["resources"]["requests"]["cpu"].removesuffix("m"))
    assert 100 <= requested * percent / 100 <= 700


@pytest.mark.parametrize("name", SCALED)
def test_it_grows_at_once_and_shrinks_slowly(name: str) -> None:
    """A pod goes only after five minutes of less need, one a minute; two stay for a drain."""
    spec = one(rendered(*HPA), "HorizontalPodAutoscaler", name)["spec"]
    assert spec["minReplicas"] == 2 < spec["maxReplicas"]
    assert spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert name in named(rendered(*HPA), "PodDisruptionBudget")


def test_measures_and_manner_are_a_teams_to_set() -> None:
    """Others beside the CPU or in its place, and one direction as the team wants it."""
    waiting = {"type": "Pods", "pods": {"metric": {"name": "waiting"}, "target": _target(5)}}
    down = {"selectPolicy": "Disabled"}
    both = given(
        {"autoscaling": {"adapter": {"metrics": [waiting], "behavior": {"scaleDown": down}}}}
    )
    spec = one(rendered(*HPA, *both), "HorizontalPodAutoscaler", "adapter")["spec"]
    assert [each["type"] for each in spec["metrics"]] == ["Resource", "Pods"]
    assert spec["behavior"]["scaleDown"] == down
    assert spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"] == 0
    alone = given({"autoscaling": {"adapter": {"cpuPercent": 0, "metrics": [waiting]}}})
    found = one(rendered(*HPA, *alone), "HorizontalPodAutoscaler", "adapter")
    assert found["spec"]["metrics"] == [waiting]
    kubernetes_validate.validate(found, "1.30", strict=True)


def _target(value: int) -> dict[str, str]:
    return {"type": "AverageValue", "averageValue": str(value)}


def test_an_autoscaler_without_a_measure_is_refused() -> None:
    """Nothing would say how many."""
    with pytest.raises(Refused, match="expected one"):
        rendered(*HPA, *setting("autoscaling.mlserver.cpuPercent=0"))


@pytest.mark.parametrize(
    "wrong", ["autoscaling.mode=keda", "autoscaling.adapter.min=1", "autoscaling.scorer.max=3"]
)
def test_what_does_not_work_is_refused(wrong: str) -> None:
    """Only modes and keys that do something are taken."""
    with pytest.raises(Refused):
        rendered(*setting(wrong))

"""What holds for every pod of every profile."""

from typing import Any

import pytest

from tests.chart.profiles import PROFILES, containers, objects, pods
from tests.chart.rendering import one, pod_of, rendered, setting, variables

SERVICES = {"Deployment", "StatefulSet"}


def each_service() -> list[Any]:
    """Return every workload that goes on."""
    return [
        pytest.param(thing, id=f"{profile}: {thing['metadata']['name']}")
        for profile in PROFILES
        for thing in objects(profile)
        if thing["kind"] in SERVICES
    ]


def test_every_pod_keeps_restricted_pod_security() -> None:
    """No root, no privileges, no capabilities, the runtime's seccomp profile, no host."""
    for profile in PROFILES:
        for name, pod in pods(profile).items():
            security = pod["securityContext"]
            assert security["runAsNonRoot"] is True, name
            assert security["runAsUser"] > 0, name
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
            assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
            assert not any("hostPath" in volume for volume in pod.get("volumes", [])), name
            for container in containers(pod):
                own = container["securityContext"]
                assert own["allowPrivilegeEscalation"] is False, name
                assert own["capabilities"] == {"drop": ["ALL"]}, name
                assert own["readOnlyRootFilesystem"] is True, name


def test_no_pod_has_a_token_or_service_variables() -> None:
    """Nobody of ours asks the API server, and a Service called kafka must not set KAFKA_PORT."""
    for profile in PROFILES:
        for name, pod in pods(profile).items():
            assert pod["automountServiceAccountToken"] is False, name
            assert pod["enableServiceLinks"] is False, name
            assert pod["serviceAccountName"] == "crypto-volatility", name


def test_every_container_says_what_it_needs() -> None:
    """Requests for the scheduler, a limit of memory, none of CPU."""
    for profile in PROFILES:
        for name, pod in pods(profile).items():
            for container in containers(pod):
                resources = container["resources"]
                assert {"cpu", "memory"} <= set(resources["requests"]), name
                assert "memory" in resources["limits"], name


def test_an_end_says_why() -> None:
    """The last log lines are in the pod's status, for whoever may not read logs."""
    for profile in PROFILES:
        for name, pod in pods(profile).items():
            policies = {c["name"]: c.get("terminationMessagePolicy") for c in containers(pod)}
            assert set(policies.values()) <= {"FallbackToLogsOnError"} or "test" in name, policies


@pytest.mark.parametrize("service", each_service())
def test_every_service_is_probed_three_ways(service: dict[str, Any]) -> None:
    """Started, ready and alive are asked of every service."""
    (main,) = service["spec"]["template"]["spec"]["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(main)


def test_the_model_server_is_ready_when_both_models_are() -> None:
    """Its own /v2/health/ready answers without any model."""
    (main,) = pods("kind")["Deployment/crypto-volatility-mlserver"]["containers"]
    assert main["startupProbe"]["httpGet"]["path"] == "/v2/models/baseline/ready"
    assert main["readinessProbe"]["httpGet"]["path"] == "/v2/models/ml/ready"
    assert main["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"


@pytest.mark.parametrize("service", each_service())
def test_an_end_leaves_time(service: dict[str, Any]) -> None:
    """Traffic stops before the process does, and the pause fits into the time that is left."""
    pod = service["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= 30
    if service["kind"] == "Deployment":
        assert pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] == 5


@pytest.mark.parametrize("service", each_service())
def test_replicas_are_spread_over_nodes(service: dict[str, Any]) -> None:
    """A node that dies takes as few of them as possible."""
    first, *_ = service["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert first["topologyKey"] == "kubernetes.io/hostname"
    assert first["labelSelector"]["matchLabels"] == service["spec"]["selector"]["matchLabels"]
    hard = "DoNotSchedule" if service["kind"] == "StatefulSet" else "ScheduleAnyway"
    assert first["whenUnsatisfiable"] == hard


@pytest.mark.parametrize("profile", PROFILES)
def test_what_answers_is_replaced_without_a_gap(profile: str) -> None:
    """A new adapter or model server is ready before an old one goes; a single writer goes first."""
    strategies = {
        thing["metadata"]["name"].removeprefix("crypto-volatility-"): thing["spec"]["strategy"]
        for thing in objects(profile)
        if thing["kind"] == "Deployment"
    }
    for name in ("adapter", "mlserver", "featurizer", "scorer"):
        assert strategies[name]["rollingUpdate"]["maxUnavailable"] == 0
    for name in ("ingestor", "monitor"):
        assert strategies[name] == {"type": "Recreate"}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_budget_stands_where_there_are_two(profile: str) -> None:
    """A disruption budget over one replica would stop every drain."""
    many, budgets = set(), set()
    for thing in objects(profile):
        name, spec = thing["metadata"]["name"], thing.get("spec", {})
        if thing["kind"] == "PodDisruptionBudget":
            budgets.add(name)
            assert spec["maxUnavailable"] == 1
        elif max(spec.get("replicas", 1), spec.get("minReplicas", 1)) >= 2:
            many.add(name)
    assert budgets == many


def test_production_has_two_of_what_answers() -> None:
    """values-prod.yaml gives budgets to brokers, adapter, model server and both consumers."""
    budgets = {t["metadata"]["name"] for t in objects("prod") if t["kind"] == "PodDisruptionBudget"}
    wanted = ("kafka", "adapter", "mlserver", "featurizer", "scorer")
    assert budgets == {f"crypto-volatility-{name}" for name in wanted}


def test_secrets_come_by_reference() -> None:
    """values-prod.yaml makes no Secret but Alertmanager's configuration, and the pods name one."""
    own = {thing["metadata"]["name"] for thing in objects("prod") if thing["kind"] == "Secret"}
    assert own == {"crypto-volatility-alertmanager"}
    (main,) = pods("prod")["Deployment/crypto-volatility-adapter"]["containers"]
    references = {
        each["name"]: each["valueFrom"]["secretKeyRef"]["name"]
        for each in main["env"]
        if "valueFrom" in each
    }
    assert references == {
        "ADAPTER_API_KEYS": "crypto-volatility",
        "ADAPTER_PROBER_KEY": "crypto-volatility",
    }


def test_the_ingestor_keeps_frames_on_a_claim_of_its_own() -> None:
    """Where its values say so: the folder, the claim that an uninstall keeps, and one writer."""
    keeps = setting(
        "components.ingestor.env.INGESTOR_CAPTURE_DIR=/capture",
        "components.ingestor.persistence.mountPath=/capture",
        "components.ingestor.persistence.size=20Gi",
        "components.ingestor.persistence.storageClass=",
    )
    made = rendered(*keeps)
    pod = pod_of(one(made, "Deployment", "ingestor"))
    claim = one(made, "PersistentVolumeClaim", "ingestor")
    assert variables(pod["containers"][0])["INGESTOR_CAPTURE_DIR"] == "/capture"
    assert {"name": "data", "mountPath": "/capture"} in pod["containers"][0]["volumeMounts"]
    assert pod["volumes"][-1]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsUser"]

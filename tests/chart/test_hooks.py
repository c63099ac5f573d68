"""What `helm test` runs: pods as restricted as all others, that may reach what they ask."""

from typing import Any

import pytest
import yaml

from tests.chart.rendering import (
    KIND,
    RELEASE,
    ROOT,
    Manifest,
    named,
    one,
    rendered,
    setting,
    variables,
)

MLFLOW = setting("mlflow.enabled=true")


def pods(*options: str) -> dict[str, Manifest]:
    """Return the pods that are hooks of `helm test`, by what they check."""
    return {
        name.removeprefix("test-"): pod
        for name, pod in named(rendered(*options), "Pod").items()
        if pod["metadata"]["annotations"].get("helm.sh/hook") == "test"
    }


def environment(check: str, *options: str) -> dict[str, Any]:
    """Return the variables of a test pod."""
    (container,) = pods(*options)[check]["spec"]["containers"]
    return variables(container)


def test_each_part_that_is_there_is_checked() -> None:
    """MLflow and Prometheus are asked only where they are."""
    assert set(pods()) == {"serving", "monitoring"}
    assert set(pods(*MLFLOW)) == {"serving", "monitoring", "mlflow"}
    assert set(pods(*setting("monitoring.mode=none"))) == {"serving"}
    assert not pods(*setting("tests.enabled=false"))


@pytest.mark.parametrize("check", ["serving", "monitoring", "mlflow"])
def test_a_test_pod_is_restricted(check: str) -> None:
    """No root, no rights, no token, no write; and it ends by itself."""
    pod = pods(*MLFLOW)[check]
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False and spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["restartPolicy"] == "Never" and spec["activeDeadlineSeconds"] > 60


@pytest.mark.parametrize("check", ["serving", "monitoring", "mlflow"])
def test_a_green_test_leaves_no_pod(check: str) -> None:
    """An uninstall leaves hooks where they are: a green one is gone by then, its log printed."""
    found = pods(*MLFLOW)[check]["metadata"]["annotations"]
    assert found["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    assert found["helm.sh/hook-output-log-policy"] == "hook-succeeded,hook-failed"


@pytest.mark.parametrize("check", ["serving", "monitoring", "mlflow"])
def test_a_test_pod_runs_the_script_of_the_chart(check: str) -> None:
    """The script is mounted from a ConfigMap with its bytes, and the check is its argument."""
    spec = pods(*MLFLOW)[check]["spec"]
    (container,) = spec["containers"]
    assert container["command"] == ["python", "/tests/check.py", check]
    assert container["image"].startswith("crypto-volatility/stream:")
    data = one(rendered(*MLFLOW), "ConfigMap", "tests")["data"]
    script = ROOT / "charts/crypto-volatility/files/tests/check.py"
    assert data == {"check.py": script.read_text()}


def test_the_cards_of_the_models_are_mounted() -> None:
    """Golden rows and scores come from the ConfigMaps that serve, of both variants."""
    spec = pods()["serving"]["spec"]
    sources = {v["name"]: v for v in spec["volumes"]}["models"]["projected"]["sources"]
    brought = {
        thing["metadata"]["name"]
        for thing in rendered()
        if thing["metadata"]["labels"].get("app.kubernetes.io/component") == "model"
    }
    assert {source["configMap"]["name"] for source in sources} == brought
    paths = {item["path"].split("/")[-1] for s in sources for item in s["configMap"]["items"]}
    assert {"card.json", "SHA256SUMS"} <= paths
    assert environment("serving")["MODELS"] == "/models"


def test_the_jobs_asked_for_are_those_that_prometheus_has() -> None:
    """No more, no less."""
    text = one(rendered("--values", KIND), "ConfigMap", "prometheus")["data"]["prometheus.yml"]
    jobs = [job["job_name"] for job in yaml.safe_load(text)["scrape_configs"]]
    asked = environment("monitoring", "--values", KIND)["JOBS"].split(",")
    assert asked == jobs and "simulator" in asked


def test_addresses_are_services_of_the_release() -> None:
    """Each URL names a Service and one of its ports."""
    objects = rendered(*MLFLOW)
    known = {
        f"{thing['metadata']['name']}:{port['port']}"
        for thing in objects
        if thing["kind"] == "Service"
        for port in thing["spec"]["ports"]
    }
    found = [environment("serving", *MLFLOW)["ADAPTER_URL"]]
    found += [environment("monitoring", *MLFLOW)[f"{n}_URL"] for n in ("PROMETHEUS", "GRAFANA")]
    assert {url.removeprefix("http://") for url in found} <= known
    hosts = environment("mlflow", *MLFLOW)["MLFLOW_HOSTS"].split(",")
    assert hosts[0] in known and len(hosts) == 4


def test_the_probers_key_is_brought_by_reference() -> None:
    """Where the adapter has keys, the test shows the prober's."""
    options = setting("secrets.proberKey.existingSecret=ours")
    assert environment("serving", *options)["ADAPTER_PROBER_KEY"] == ("ours", "prober-key")
    assert "ADAPTER_PROBER_KEY" not in environment("serving")


def test_test_pods_are_let_through() -> None:
    """Their policy lets them out to what they ask, and these let them in."""
    objects = rendered(*MLFLOW)
    own = {"app.kubernetes.io/component": "test"}
    for component in ("adapter", "prometheus", "grafana", "mlflow"):
        ingress = one(objects, "NetworkPolicy", component)["spec"]["ingress"]
        peers = [peer for rule in ingress for peer in rule.get("from", [])]
        assert any(own.items() <= peer["podSelector"]["matchLabels"].items() for peer in peers)
    labels = pods(*MLFLOW)["serving"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "test"
    assert labels["app.kubernetes.io/instance"] == RELEASE

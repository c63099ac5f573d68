"""Prometheus, Alertmanager and Grafana in the chart: one copy of rules, jobs and dashboards."""

import base64
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import (
    KIND,
    NAMESPACE,
    RELEASE,
    ROOT,
    Manifest,
    Refused,
    named,
    one,
    pod_of,
    rendered,
    setting,
    variables,
)

GRAFANA = ROOT / "grafana"
ALL = setting("components.simulator.enabled=true", "mlflow.enabled=true")
OWN: dict[str, Any] = yaml.safe_load((GRAFANA / "prometheus.yml").read_text())


def config(*options: str) -> dict[str, Any]:
    """Return prometheus.yml as rendered."""
    text = one(rendered(*options), "ConfigMap", "prometheus")["data"]["prometheus.yml"]
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def port_of(job: dict[str, Any]) -> int:
    """Return the port that a job of compose's Prometheus scrapes."""
    if "dns_sd_configs" in job:
        return int(job["dns_sd_configs"][0]["port"])
    return int(job["static_configs"][0]["targets"][0].rsplit(":", 1)[1])


def test_jobs_and_ports_are_those_of_compose() -> None:
    """Rules and dashboards know services by job, so that the names must be equal."""
    found = {j["job_name"]: j["dns_sd_configs"][0] for j in config(*ALL)["scrape_configs"]}
    assert {name: sd["port"] for name, sd in found.items()} == {
        job["job_name"]: port_of(job) for job in OWN["scrape_configs"]
    }


def test_a_job_finds_every_pod_by_name() -> None:
    """Each name is that of a headless Service without readiness, with the port that it scrapes."""
    services = named(rendered(*ALL), "Service")
    for job in config(*ALL)["scrape_configs"]:
        (sd,) = job["dns_sd_configs"]
        assert sd["names"] == [
            f"{RELEASE}-{job['job_name']}-pods.{NAMESPACE}.svc.cluster.local."
        ], "a full name, or the search path of the pod is tried first"
        spec = services[f"{job['job_name']}-pods"]["spec"]
        assert spec["clusterIP"] == "None" and spec["publishNotReadyAddresses"] is True
        assert [port["port"] for port in spec["ports"]] == [sd["port"]]


def test_what_is_not_there_is_no_job() -> None:
    """Without a simulator there is no target that is down."""
    jobs = {job["job_name"] for job in config()["scrape_configs"]}
    assert "simulator" not in jobs and "ingestor" in jobs


def test_a_target_that_is_gone_is_forgotten_before_its_alert() -> None:
    """TargetDown waits 30 s: a pod that was replaced must be no target any more by then."""
    for job in config()["scrape_configs"]:
        assert job["dns_sd_configs"][0]["refresh_interval"] == "5s"


def test_global_settings_and_rules_are_those_of_compose() -> None:
    """Intervals are taken from the file; rule files go into the pod byte by byte."""
    found = config()
    assert found["global"] == OWN["global"]
    assert found["rule_files"] == OWN["rule_files"]
    data = one(rendered(), "ConfigMap", "prometheus-rules")["data"]
    assert data == {path.name: path.read_text() for path in (GRAFANA / "rules").iterdir()}


def test_alerts_go_to_the_alertmanager_of_the_release() -> None:
    """By its Service, on its port."""
    (where,) = config()["alerting"]["alertmanagers"]
    assert where["static_configs"] == [{"targets": [f"{RELEASE}-alertmanager:9093"]}]
    assert "alertmanager" in named(rendered(), "Service")


def test_the_alertmanagers_config_is_composes_or_ones_own_secret() -> None:
    """Receivers have keys, so the file is a Secret, that another may replace."""
    secret = one(rendered(), "Secret", "alertmanager")
    own = (GRAFANA / "alertmanager.yml").read_bytes()
    assert base64.b64decode(secret["data"]["alertmanager.yml"]) == own
    given = rendered(*setting("monitoring.alertmanager.existingSecret=ours"))
    assert "alertmanager" not in named(given, "Secret")
    volumes = {v["name"]: v for v in pod_of(one(given, "Deployment", "alertmanager"))["volumes"]}
    assert volumes["config"]["secret"] == {"secretName": "ours"}


def test_each_dashboard_is_a_config_map_that_grafana_mounts() -> None:
    """Bytes are those of grafana/dashboards, and none is left out of the volume."""
    objects = rendered()
    files = {path.stem: path for path in (GRAFANA / "dashboards").glob("*.json")}
    maps = {
        name.removeprefix("dashboard-"): thing
        for name, thing in named(objects, "ConfigMap").items()
        if name.startswith("dashboard-")
    }
    assert maps.keys() == files.keys()
    for name, path in files.items():
        assert maps[name]["data"] == {path.name: path.read_text()}
    volumes = {v["name"]: v for v in pod_of(one(objects, "Deployment", "grafana"))["volumes"]}
    sources = [s["configMap"]["name"] for s in volumes["dashboards"]["projected"]["sources"]]
    assert sources == sorted(f"{RELEASE}-dashboard-{name}" for name in files)


def test_grafana_is_provisioned_as_in_compose() -> None:
    """Data source and provider are the files, where Grafana looks, with Prometheus's address."""
    objects = rendered()
    pod = pod_of(one(objects, "Deployment", "grafana"))
    (grafana,) = pod["containers"]
    mounts = {m["name"]: m["mountPath"] for m in grafana["volumeMounts"]}
    volumes = {v["name"]: v for v in pod["volumes"]}
    for volume, kind in {"datasources": "datasources", "providers": "dashboards"}.items():
        assert mounts[volume] == f"/etc/grafana/provisioning/{kind}"
        name = volumes[volume]["configMap"]["name"].removeprefix(f"{RELEASE}-")
        folder = GRAFANA / "provisioning" / kind
        expected = {path.name: path.read_text() for path in folder.iterdir()}
        assert one(objects, "ConfigMap", name)["data"] == expected
    assert variables(grafana)["PROMETHEUS_URL"] == f"http://{RELEASE}-prometheus:9090"


@pytest.mark.parametrize(
    ("component", "path"),
    [
        ("prometheus", "rules/alerts.yml"),
        ("prometheus", "prometheus.yml"),
        ("alertmanager", "alertmanager.yml"),
        ("grafana", "dashboards/model.json"),
        ("grafana", "provisioning/datasources/prometheus.yml"),
    ],
)
def test_pods_begin_anew_when_their_files_change(component: str, path: str, tmp_path: Path) -> None:
    """The pod template carries a sum over what it mounts."""
    chart = tmp_path / "chart"
    shutil.copytree(ROOT / "charts" / "crypto-volatility", chart)
    file = chart / "files" / "grafana" / path
    before = _sums(chart)
    text = file.read_text()
    changed = text.replace("5s", "6s", 1) if path == "prometheus.yml" else text + "\n"
    file.write_text(changed)
    after = _sums(chart)
    assert {name for name in before if before[name] != after[name]} == {component}


def _sums(chart: Path) -> dict[str, str]:
    command = ["helm", "template", RELEASE, str(chart)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    deployments = named([d for d in yaml.safe_load_all(done.stdout) if d], "Deployment")
    return {
        name: deployments[name]["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for name in ("prometheus", "alertmanager", "grafana")
    }


def test_passwords_stand_nowhere_by_default() -> None:
    """Grafana's and PostgreSQL's are made at the install, and pods name them by reference."""
    objects = rendered(*ALL)
    generated = one(objects, "Secret", "generated")
    assert generated["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    values = {key: base64.b64decode(text) for key, text in generated["data"].items()}
    assert values.keys() == {"grafana-password", "postgres-password"}
    assert all(re.fullmatch(rb"[A-Za-z0-9]{24}", value) for value in values.values())
    named_by = {
        ("grafana", "GF_SECURITY_ADMIN_PASSWORD"): "grafana-password",
        ("postgres", "POSTGRES_PASSWORD"): "postgres-password",
        ("mlflow", "PGPASSWORD"): "postgres-password",
    }
    for (component, variable), key in named_by.items():
        (container,) = pod_of(one(objects, "Deployment", component))["containers"]
        assert variables(container)[variable] == (f"{RELEASE}-generated", key)


def test_a_password_by_reference_is_not_made() -> None:
    """A Secret of one's own is named, and nothing is generated for it."""
    objects = rendered(*setting("secrets.grafanaPassword.existingSecret=ours"))
    assert "generated" not in named(objects, "Secret")
    (grafana,) = pod_of(one(objects, "Deployment", "grafana"))["containers"]
    assert variables(grafana)["GF_SECURITY_ADMIN_PASSWORD"] == ("ours", "grafana-password")


def test_without_monitoring_nothing_of_it_is_there() -> None:
    """mode none leaves the Services to scrape, and no pod, claim or configuration."""
    objects = rendered(*setting("monitoring.mode=none"))
    names = {thing["metadata"]["name"] for thing in objects}
    assert not [n for n in names if re.search("prometheus|alertmanager|grafana|dashboard", n)]
    assert f"{RELEASE}-adapter-pods" in names
    with pytest.raises(Refused):
        rendered(*setting("monitoring.mode=some"))


def test_data_of_monitoring_and_mlflow_outlives_the_release() -> None:
    """Claims are kept by an uninstall; what has a claim is replaced, never doubled."""
    objects = rendered(*ALL)
    claims = named(objects, "PersistentVolumeClaim")
    for component in ("prometheus", "alertmanager", "grafana", "mlflow", "postgres"):
        annotations = claims[component]["metadata"]["annotations"]
        assert annotations["helm.sh/resource-policy"] == "keep"
        strategy = one(objects, "Deployment", component)["spec"]["strategy"]
        assert strategy == {"type": "Recreate"}


def test_mlflow_allows_each_of_its_names() -> None:
    """It answers 403 to other Host headers; names are allowed with and without port."""
    objects = rendered(*ALL, *setting("mlflow.allowedHosts={mlflow.example.org}"))
    (container,) = pod_of(one(objects, "Deployment", "mlflow"))["containers"]
    hosts = variables(container)["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    short = f"{RELEASE}-mlflow"
    for name in (short, f"{short}.{NAMESPACE}.svc", f"{short}.{NAMESPACE}.svc.cluster.local"):
        assert name in hosts and f"{name}:5000" in hosts
    assert {"localhost:5000", "127.0.0.1:5000", "mlflow.example.org"} < set(hosts)


def test_mlflow_is_reached_on_its_node_port() -> None:
    """On kind the Host header names the node port."""
    objects = rendered("--values", KIND, *ALL)
    (container,) = pod_of(one(objects, "Deployment", "mlflow"))["containers"]
    assert "localhost:30500" in variables(container)["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")


def test_mlflow_waits_for_postgres_and_shows_no_password() -> None:
    """Its first container waits for the port; the password is no argument of a process."""
    pod = pod_of(one(rendered(*ALL), "Deployment", "mlflow"))
    (wait,) = pod["initContainers"]
    assert f"{RELEASE}-postgres" in wait["command"][-1]
    (container,) = pod["containers"]
    assert f"postgresql+psycopg2://mlflow@{RELEASE}-postgres/mlflow" in " ".join(
        container["command"]
    )


def test_mlflow_is_off_by_default() -> None:
    """Neither MLflow nor a database runs unasked."""
    assert not {"mlflow", "postgres"} & named(rendered(), "Deployment").keys()


@pytest.mark.parametrize(
    ("component", "port"), [("monitor", 30809), ("grafana", 30300), ("prometheus", 30909)]
)
def test_ports_on_kind_are_a_tenth(component: str, port: int) -> None:
    """A node port is 30000 and a tenth of the service's own, as manifests/kind.yaml maps them."""
    service: Manifest = one(rendered("--values", KIND), "Service", component)
    assert [each["nodePort"] for each in service["spec"]["ports"]] == [port]
    mapped = yaml.safe_load((ROOT / "manifests" / "kind.yaml").read_text())
    assert port in [m["hostPort"] for m in mapped["nodes"][0]["extraPortMappings"]]


@pytest.mark.parametrize("options", [(), ALL, ("--values", KIND)])
def test_prometheus_takes_the_config(options: tuple[str, ...], tmp_path: Path) -> None:
    """promtool checks what is rendered together with the rules beside it."""
    objects = rendered(*options)
    (tmp_path / "rules").mkdir()
    text = one(objects, "ConfigMap", "prometheus")["data"]["prometheus.yml"]
    (tmp_path / "prometheus.yml").write_text(text)
    for name, rules in one(objects, "ConfigMap", "prometheus-rules")["data"].items():
        (tmp_path / "rules" / name).write_text(rules)
    tmp_path.chmod(0o755)  # in the image promtool is not this user
    command = [*promtool(tmp_path), "check", "config", "--lint=all", "--lint-fatal"]
    command.append("prometheus.yml")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def promtool(folder: Path) -> list[str]:
    """Return the command: promtool on the PATH, else that of the image that the chart names."""
    if shutil.which("promtool"):
        return ["promtool"]
    image = pod_of(one(rendered(), "Deployment", "prometheus"))["containers"][0]["image"]
    inside = ["--volume", f"{folder}:/folder:ro", "--workdir", "/folder"]
    return ["docker", "run", "--rm", *inside, "--entrypoint", "promtool", image]

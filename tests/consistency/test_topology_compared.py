"""The comparison of compose and chart finds each change of either side."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from tests.consistency.topology import (
    FIELD,
    SECRET,
    Allowed,
    Workload,
    bare,
    chart_workloads,
    compose_workloads,
    defaults,
    differences,
    image,
    resolved,
    scrape_jobs,
    size,
    unexplained,
    value,
    values_workloads,
    variables,
)

EXAMPLE = Workload(
    image="stream",
    command=("python", "-m", "scorer"),
    env={"LISTEN_HOST": "0.0.0.0", "SCORER_MODEL_URL": "http://mlserver:8080"},
    ports=frozenset({9103}),
    health=frozenset({(9103, "/healthz")}),
    memory=256 * 2**20,
    waits=True,
)
COMPOSE: dict[str, Any] = {
    "services": {
        "scorer": {
            "image": "crypto-volatility/stream:${TAG:-dev}",
            "command": ["python", "-m", "scorer"],
            "environment": {
                "LISTEN_HOST": "0.0.0.0",
                "SCORER_MODEL_URL": "http://mlserver:8080",
                "HEALTH": "http://localhost:9103/healthz",
            },
            "depends_on": {"topics": {"condition": "service_completed_successfully"}},
            "mem_limit": "256m",
        }
    }
}
VALUES: dict[str, Any] = {
    "feed": {"url": "ws://{{ .at.simulator }}:8765", "products": ["BTC-USD", "ETH-USD"]},
    "components": {
        "scorer": {
            "image": "stream",
            "command": ["python", "-m", "scorer"],
            "env": {"LISTEN_HOST": "0.0.0.0", "SCORER_MODEL_URL": "http://{{ .at.mlserver }}:8080"},
            "ports": {"http": 9103},
            "connects": ["kafka", "mlserver:http"],
            "probes": {"liveness": {"path": "/healthz"}, "readiness": {"path": "/readyz"}},
            "resources": {"limits": {"memory": "256Mi"}},
        }
    },
}
DEPLOYMENT: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"labels": {"app.kubernetes.io/component": "scorer"}},
    "spec": {
        "template": {
            "spec": {
                "initContainers": [
                    {"command": ["python", "-m", "ingestor", "topics", "--wait", "--timeout=300"]}
                ],
                "containers": [
                    {
                        "image": "registry.example/crypto-volatility/stream:0.1.0",
                        "command": ["python", "-m", "scorer"],
                        "env": [
                            {"name": "LISTEN_HOST", "value": "0.0.0.0"},
                            {"name": "SCORER_MODEL_URL", "value": "http://here-mlserver:8080"},
                        ],
                        "ports": [{"name": "metrics", "containerPort": 9103}],
                        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "metrics"}},
                        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 9103}},
                        "resources": {"limits": {"memory": "256Mi"}},
                    }
                ],
            }
        }
    },
}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (replace(EXAMPLE, image="ml"), "image"),
        (replace(EXAMPLE, command=("python", "-m", "monitor")), "command"),
        (replace(EXAMPLE, env={**EXAMPLE.env, "LISTEN_HOST": "127.0.0.1"}), "LISTEN_HOST"),
        (replace(EXAMPLE, env={**EXAMPLE.env, "SCORER_GROUP": "other"}), "SCORER_GROUP"),
        (replace(EXAMPLE, env={"LISTEN_HOST": "0.0.0.0"}), "SCORER_MODEL_URL"),
        (replace(EXAMPLE, ports=frozenset({9104})), "ports"),
        (replace(EXAMPLE, health=frozenset({(9103, "/readyz")})), "health"),
        (replace(EXAMPLE, memory=512 * 2**20), "memory"),
        (replace(EXAMPLE, waits=False), "waits"),
    ],
)
def test_a_change_of_one_side_is_found(changed: Workload, what: str) -> None:
    """Each of the things compared is told apart, and alone."""
    assert set(differences({"scorer": EXAMPLE}, {"scorer": changed}, {})) == {("scorer", what)}


def test_a_password_in_the_open_is_told_from_one_in_a_secret() -> None:
    """What the chart takes from a Secret differs by another name than what it says itself."""
    compose = {"scorer": replace(EXAMPLE, env={"PASSWORD": "known"})}
    for said, what in ((SECRET, "secret PASSWORD"), ("other", "PASSWORD")):
        chart = {"scorer": replace(EXAMPLE, env={"PASSWORD": said})}
        assert set(differences(compose, chart, {})) == {("scorer", what)}


def test_a_service_of_one_side_is_found() -> None:
    """A service that only one side has differs, whichever side it is."""
    for compose, chart in (({"drift": EXAMPLE}, {}), ({}, {"drift": EXAMPLE})):
        assert set(differences(compose, chart, {})) == {("drift", "service")}


def test_the_three_forms_are_read_alike() -> None:
    """One service in all forms has no difference; the chart may offer more ports and questions."""
    compose = compose_workloads(COMPOSE, {})
    assert compose == {"scorer": EXAMPLE}
    assert not differences(compose, chart_workloads([DEPLOYMENT], "here"), {})
    assert not differences(compose, values_workloads(VALUES), {})


@pytest.mark.parametrize(
    ("path", "said", "what"),
    [
        (("ports", 0, "containerPort"), 9109, {"ports", "health"}),
        (("env", 1, "value"), "http://here-mlserver:8081", {"SCORER_MODEL_URL"}),
        (("env", 1, "value"), "http://here-adapter:8080", {"SCORER_MODEL_URL"}),
        (("livenessProbe", "httpGet", "path"), "/", {"health"}),
        (("resources", "limits", "memory"), "1Gi", {"memory"}),
        (("command", 2), "monitor", {"command"}),
    ],
)
def test_a_changed_manifest_is_found(path: tuple[Any, ...], said: object, what: set[str]) -> None:
    """A changed port, setting, probe, limit or command in a rendered object is a difference."""
    deployment = deepcopy(DEPLOYMENT)
    place = deployment["spec"]["template"]["spec"]["containers"][0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = said
    found = differences(compose_workloads(COMPOSE, {}), chart_workloads([deployment], "here"), {})
    assert {name for _, name in found} == what


@pytest.mark.parametrize(
    ("path", "said", "what"),
    [
        (("ports", "http"), 9109, {"ports", "health"}),
        (("env", "SCORER_MODEL_URL"), "http://{{ .at.adapter }}:8080", {"SCORER_MODEL_URL"}),
        (("connects",), ["mlserver:http"], {"waits"}),
        (("image",), "ml", {"image"}),
    ],
)
def test_a_changed_value_is_found(path: tuple[str, ...], said: object, what: set[str]) -> None:
    """A changed entry of values.yaml is a difference, without Helm."""
    values = deepcopy(VALUES)
    place = values["components"]["scorer"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = said
    found = differences(compose_workloads(COMPOSE, {}), values_workloads(values), {})
    assert {name for _, name in found} == what


def test_templates_in_values_are_filled_in() -> None:
    """Names of services and other values are put in place; what is computed stays."""
    assert resolved("{{ tpl .Values.feed.url . }}", VALUES) == "ws://simulator:8765"
    assert resolved('{{ join "," .Values.feed.products }}', VALUES) == "BTC-USD,ETH-USD"
    assert resolved("{{ .Release.Name }}", VALUES) == "{{ .Release.Name }}"


def test_where_a_value_comes_from_is_no_value() -> None:
    """A secret and a field of the pod are read as such."""
    deployment = deepcopy(DEPLOYMENT)
    deployment["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "KEYS", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "keys"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    assert chart_workloads([deployment], "here")["scorer"].env == {"KEYS": SECRET, "POD": FIELD}


def test_tests_of_helm_are_not_part_of_the_system() -> None:
    """An object that Helm runs as a hook is no workload."""
    hook = {**DEPLOYMENT, "metadata": {"annotations": {"helm.sh/hook": "test"}}}
    assert not chart_workloads([hook], "here")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("${TAG:-dev}", "dev"),
        ("${EMPTY:-}", ""),
        ("${RECORDING:+/recordings/}${RECORDING:-}", ""),
        ("${SPEED:-1}/${SPEED:+fast}", "20/fast"),
        ("$$HOME", "$HOME"),
        (True, "true"),
        (0, "0"),
    ],
)
def test_compose_values_are_resolved(said: object, meant: str) -> None:
    """Variables that are not set give their defaults, and those that are set their values."""
    assert value(said, variables("# a comment\n\nSPEED=20\n")) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("http://here-mlserver:8080", "http://mlserver:8080"),
        ("here-kafka.space.svc.cluster.local:9092", "kafka:9092"),
        ("here-scorer-pods.space.svc.cluster.local.", "scorer-pods"),
        ("here-kafka.space.svc:9092,here-adapter:1", "kafka:9092,adapter:1"),
        ("nowhere-kafka:9092", "nowhere-kafka:9092"),
    ],
)
def test_addresses_lose_release_and_namespace(said: str, meant: str) -> None:
    """A name inside the cluster is the service's own name."""
    assert bare(said, "here") == meant


def test_sizes_are_bytes() -> None:
    """Compose and Kubernetes write sizes differently; what is neither is refused."""
    assert size("256m") == size("256Mi") == 2**28
    assert size("1g") == size("1Gi") == 2**30
    assert size(None) is None
    with pytest.raises(ValueError, match="expected a number"):
        size("1 GB")


def test_our_images_are_known_by_their_target() -> None:
    """Registry and tag do not matter for our images, and do for others."""
    assert image("registry.example:5000/x/crypto-volatility/ml:1") == "ml"
    assert image("crypto-volatility/stream") == "stream"
    assert image("apache/kafka:4.3.1") == "apache/kafka:4.3.1"


def test_scrape_jobs_are_read_from_both_kinds() -> None:
    """A job by address equals a job by the name of a headless service; another port does not."""
    by_address = {"job_name": "scorer", "static_configs": [{"targets": ["scorer:9103"]}]}
    by_name = {
        "job_name": "scorer",
        "dns_sd_configs": [{"names": ["here-scorer-pods.space.svc"], "type": "A", "port": 9103}],
    }
    other = deepcopy(by_name)
    other["dns_sd_configs"][0]["port"] = 9104  # type: ignore[index]
    read = [scrape_jobs({"scrape_configs": [job]}, "here") for job in (by_address, by_name, other)]
    assert read[0] == read[1] == {"scorer": frozenset({("scorer", 9103)})}
    assert read[2] != read[0]


def test_a_variable_that_is_not_set_is_its_default() -> None:
    """A side that leaves a variable out has its default, as the page of settings says."""
    page = "| `SCORER_GROUP` | `scorer` | Group. |\n| `KAFKA_TOPIC_PREFIX` | – | Prefix. |\n"
    assert defaults(page) == {"SCORER_GROUP": "scorer", "KAFKA_TOPIC_PREFIX": ""}
    said = replace(EXAMPLE, env={**EXAMPLE.env, "SCORER_GROUP": "scorer", "OTHER": ""})
    assert not differences({"scorer": EXAMPLE}, {"scorer": said}, defaults(page))
    assert differences({"scorer": EXAMPLE}, {"scorer": said}, {})


def test_what_is_allowed_has_to_differ() -> None:
    """An allowed difference is left out, another is not, and one that is gone is said."""
    found = {
        ("scorer", "memory"): "scorer, memory: …",
        ("scorer", "OTEL_RATIO"): "scorer, OTEL_RATIO: …",
        ("adapter", "ports"): "adapter, ports: …",
    }
    meant = [Allowed("*", "memory", "said there"), Allowed("scorer", "OTEL_*", "no traces")]
    stale = Allowed("drift", "image", "no longer so")
    left, gone = unexplained(found, [*meant, stale])
    assert left == ["adapter, ports: …"]
    assert gone == [stale]

"""Each value of a team is on every pod that it is for: components, Kafka, Jobs, CronJob, tests."""

import json
from typing import Any

import kubernetes_validate
import pytest

from tests.chart.rendering import CHART, Manifest, Refused, rendered
from tests.chart.teams.claims import BESIDE, CLAIMS
from tests.chart.teams.workloads import (
    ALL,
    COMPONENTS,
    OTHERS,
    SERVICES,
    given,
    own_containers,
    pods,
    section,
    with_defaults,
)

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
ALONE = {"preStopSeconds", "terminationGracePeriodSeconds", "revisionHistoryLimit", "resources"}
"""Values of `defaults` that are no part of every pod, or not to be set under its own name."""
PLAIN = pods(rendered(*ALL))
FOR_ALL = {name: claim.value("for-all") for name, claim in CLAIMS.items()}


def concerns(value: str, workload: str) -> bool:
    """Whether a value is for a workload."""
    return value not in BESIDE or workload.partition("/")[0] in SERVICES


def owns(workload: str) -> dict[str, Any]:
    """Return one value of each kind for a workload alone, known by its name."""
    word = workload.partition("/")[2].removeprefix("crypto-volatility-")
    return {name: c.value(f"of-{word}") for name, c in CLAIMS.items() if concerns(name, workload)}


def first_of_each_section() -> dict[tuple[str, ...], str]:
    """Return a workload of each section of the values; all have one."""
    found: dict[tuple[str, ...], str] = {}
    for workload, pod in PLAIN.items():
        found.setdefault(section(pod), workload)
    return found


OWNERS = first_of_each_section()
OWN: dict[str, Any] = {"components": {}}
for keys, owner in OWNERS.items():
    (OWN["components"] if len(keys) > 1 else OWN)[keys[-1]] = owns(owner)


def full() -> list[Manifest]:
    """Return all objects with every value, for all and for each workload alone."""
    return rendered(*ALL, *given({"defaults": FOR_ALL, **OWN}))


WITH_DEFAULTS = pods(with_defaults(**FOR_ALL))
FULL = pods(full())


def test_every_workload_is_there() -> None:
    """All components, Kafka, both kinds of Job, the CronJob, the tests and the pod made by hand."""
    assert {keys[-1] for keys in OWNERS} == COMPONENTS | set(OTHERS.values())
    kinds = {name.partition("/")[0] for name in PLAIN}
    assert kinds == {*SERVICES, "Job", "CronJob", "Pod", "ConfigMap"}


def test_every_value_of_the_schema_is_claimed() -> None:
    """A value more has to say here what it does."""
    named = set(SCHEMA["properties"]["defaults"]["properties"]) - ALONE
    assert named == set(CLAIMS) | {"podDisruptionBudget"}


@pytest.mark.parametrize("workload", PLAIN)
@pytest.mark.parametrize("value", CLAIMS)
def test_a_value_for_all_is_on_every_pod(value: str, workload: str) -> None:
    """What `defaults` says; and no container beside a pod that is to end."""
    pod = WITH_DEFAULTS[workload]
    assert CLAIMS[value].found(pod, "for-all") is concerns(value, workload)


@pytest.mark.parametrize(
    ("value", "workload"),
    [(value, owner) for value in CLAIMS for owner in OWNERS.values() if concerns(value, owner)],
)
def test_a_workloads_own_goes_before(value: str, workload: str) -> None:
    """It is added to that for all, or takes its place."""
    pod, claim = FULL[workload], CLAIMS[value]
    word = workload.partition("/")[2].removeprefix("crypto-volatility-")
    assert claim.found(pod, f"of-{word}")
    assert claim.found(pod, "for-all") is claim.adds


def test_a_workloads_own_is_on_no_other() -> None:
    """The word of one is nowhere in the pod of another section."""
    words = {
        keys: json.dumps("of-" + workload.partition("/")[2].removeprefix("crypto-volatility-"))
        for keys, workload in OWNERS.items()
    }
    for workload, pod in FULL.items():
        text = json.dumps(pod)
        for keys, word in words.items():
            assert (word in text) is (keys == section(pod)), (workload, word)


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_kubernetes_knows_what_comes_of_it(version: str) -> None:
    """Every object is valid with all values set, and each pod that people make."""
    for thing in [*full(), *(pod for pod in FULL.values() if "kind" in pod)]:
        kubernetes_validate.validate(thing, version, strict=True)


def test_with_nothing_set_nothing_is_there() -> None:
    """No empty field is written."""
    for name, pod in PLAIN.items():
        assert not [key for key, value in pod["spec"].items() if value in ({}, [], "")], name


def test_what_the_chart_says_of_a_pod_itself_stays() -> None:
    """A field that no team sets is as the template made it, such as the spread of brokers."""
    theirs = {"tolerations": [{"operator": "Exists"}]}
    for name, pod in pods(with_defaults(**theirs)).items():
        assert pod == {**PLAIN[name], "spec": PLAIN[name]["spec"] | theirs}, name


def test_spread_is_counted_among_a_workloads_own_pods() -> None:
    """A constraint without a selector would count all pods of the namespace."""
    for name, pod in WITH_DEFAULTS.items():
        (constraint,) = pod["spec"]["topologySpreadConstraints"]
        labels = constraint["labelSelector"]["matchLabels"]
        assert labels.items() <= pod["metadata"]["labels"].items() and len(labels) == 3, name
    theirs = {"matchLabels": {"app": "another"}}
    constraint = {**CLAIMS["topologySpreadConstraints"].value("x")[0], "labelSelector": theirs}
    for pod in pods(with_defaults(topologySpreadConstraints=[constraint])).values():
        assert pod["spec"]["topologySpreadConstraints"] == [constraint]


def test_a_variable_of_the_charts_own_is_replaced_where_it_stands() -> None:
    """A name twice is refused by `kubectl apply --server-side`."""
    env = [{"name": "KAFKA_BOOTSTRAP_SERVERS", "value": "elsewhere:9092"}]
    for name, pod in pods(with_defaults(extraEnv=env)).items():
        for container in own_containers(pod):
            names = [each["name"] for each in container["env"]]
            assert len(set(names)) == len(names), name
            assert env[0] in container["env"], name


def test_a_quota_of_every_resource_is_met() -> None:
    """Each container has what `defaults.resources` says of what the chart does not limit."""
    limits = {"cpu": "2", "ephemeral-storage": "1Gi", "memory": "9Gi"}
    before = {name: own_containers(pod) for name, pod in PLAIN.items()}
    for name, pod in pods(with_defaults(resources={"limits": limits})).items():
        for container, plain in zip(own_containers(pod), before[name], strict=True):
            own = plain["resources"]
            assert container["resources"]["requests"] == own["requests"], name
            assert container["resources"]["limits"] == limits | own["limits"], name


def test_braces_of_others_can_be_written() -> None:
    """Vault's agent reads templates of its own out of annotations."""
    theirs = '{{- with secret "kv/a" }}{{ .Data.b }}{{ end }}'
    ours = theirs.replace("{{", '{{ "{{" }}')
    for pod in pods(with_defaults(podAnnotations={"a/template": ours})).values():
        assert pod["metadata"]["annotations"]["a/template"] == theirs


def test_a_volume_and_a_mount_of_the_charts_own_are_replaced() -> None:
    """A larger /tmp, and a claim at a path that a volume of ours was mounted to."""
    large = {"name": "tmp", "emptyDir": {"sizeLimit": "9Gi"}}
    mount = {"name": "tmp", "mountPath": "/models"}
    found = pods(with_defaults(extraVolumes=[large], extraVolumeMounts=[mount]))
    adapter = found["Deployment/crypto-volatility-adapter"]["spec"]
    assert [v for v in adapter["volumes"] if v["name"] == "tmp"] == [large]
    mounts = adapter["containers"][0]["volumeMounts"]
    assert [each for each in mounts if each["mountPath"] == "/models"] == [mount]


@pytest.mark.parametrize("keys", [("topics",), ("retraining",), ("tests",)])
def test_a_container_beside_what_ends_is_refused(keys: tuple[str, ...]) -> None:
    """A Job would never be done; an init container that is restarted always does the same."""
    with pytest.raises(Refused, match="extraContainers"):
        rendered(*given({keys[0]: {"extraContainers": [{"name": "a", "image": "b:1"}]}}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"defaults": {"extraEnv": [{"name": "A", "valeu": "b"}]}},
        {"defaults": {"extraEnv": [{"name": "A", "value": "b", "valueFrom": {}}]}},
        {"defaults": {"affinity": {"nodeAfinity": {}}}},
        {"defaults": {"nodeselector": {}}},
        {"kafka": {"toleration": []}},
        {"topics": {"extraEnvs": []}},
        {"components": {"adapter": {"podDisruptionBudget": {"maxUnavailabel": 1}}}},
        {"serviceAccount": {"annotation": {}}},
        {"commonLabels": {"a b": "c"}},
        {"proxy": {"htpps": "http://a"}},
        {"proxy": {"https": "a:3128"}},
        {"trust": {"configmap": "a"}},
        {"networkPolicy": {"dnsAt": ["kube-dns"]}},
        {"autoscaling": {"adapter": {"behaviour": {}}}},
        {"kafka": {"startupSeconds": 0}},
    ],
)
def test_a_mistyped_value_is_refused(wrong: dict[str, Any]) -> None:
    """The schema knows every key but those of Kubernetes' own objects."""
    with pytest.raises(Refused, match="don't meet the specifications of the schema"):
        rendered(*given(wrong))

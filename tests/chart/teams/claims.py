"""What each value of a team is to do to a pod; `test_every_pod.py` asks it of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.chart.rendering import Manifest
from tests.chart.teams.workloads import own_containers


@dataclass(frozen=True, slots=True)
class Claim:
    """One value."""

    value: Callable[[str], Any]
    """Makes the value, with a word in it by which it is known again."""
    found: Callable[[Manifest, str], bool]
    """Whether a pod has it."""
    adds: bool = True
    """Whether a workload's own is added to that for all, or takes its place."""


def _container(name: str) -> Claim:
    """Return the claim of a list of containers."""
    field = "initContainers" if name == "extraInitContainers" else "containers"
    return Claim(
        lambda word: [{"name": f"extra-{word}", "image": "a:1", "args": ["{{ .Release.Name }}"]}],
        lambda pod, word: {
            "name": f"extra-{word}",
            "image": "a:1",
            "args": ["crypto-volatility"],
        }
        in pod["spec"].get(field, []),
    )


def _everywhere(pod: Manifest, field: str, entry: Manifest) -> bool:
    return all(entry in each.get(field, []) for each in own_containers(pod))


def _spec(field: str) -> Callable[[Manifest, str], Any]:
    return lambda pod, word: word in str(pod["spec"].get(field, ""))


def _name(field: str) -> Claim:
    """Return the claim of a name that is a field of a pod."""
    return Claim(lambda word: word, lambda pod, word: pod["spec"][field] == word, adds=False)


def _toleration(word: str) -> Manifest:
    return {"key": word, "operator": "Exists", "effect": "NoSchedule"}


def _alias(word: str) -> Manifest:
    return {"ip": "10.9.8.7", "hostnames": [word]}


def _secret(word: str) -> Manifest:
    reference = {"secretKeyRef": {"name": word, "key": "token"}}
    return {"name": f"TOKEN_{word}".upper().replace("-", "_"), "valueFrom": reference}


def _spread(word: str) -> list[Manifest]:
    return [{"maxSkew": 2, "topologyKey": word, "whenUnsatisfiable": "ScheduleAnyway"}]


def _affinity(word: str) -> Manifest:
    terms = [{"matchExpressions": [{"key": word, "operator": "Exists"}]}]
    need = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"nodeAffinity": need}


CLAIMS = {
    "podLabels": Claim(
        lambda word: {word: "yes"}, lambda pod, word: pod["metadata"]["labels"].get(word) == "yes"
    ),
    "podAnnotations": Claim(
        lambda word: {f"a.b/{word}": "{{ .Release.Name }}"},
        lambda pod, word: (
            pod["metadata"]["annotations"].get(f"a.b/{word}") == "crypto-volatility"
        ),
    ),
    "nodeSelector": Claim(
        lambda word: {word: "yes"},
        lambda pod, word: pod["spec"].get("nodeSelector", {}).get(word) == "yes",
    ),
    "tolerations": Claim(
        lambda word: [_toleration(word)],
        lambda pod, word: _toleration(word) in pod["spec"].get("tolerations", []),
    ),
    "affinity": Claim(
        _affinity, lambda pod, word: pod["spec"].get("affinity") == _affinity(word), adds=False
    ),
    "topologySpreadConstraints": Claim(_spread, _spec("topologySpreadConstraints"), adds=False),
    "priorityClassName": _name("priorityClassName"),
    "runtimeClassName": _name("runtimeClassName"),
    "schedulerName": _name("schedulerName"),
    "hostAliases": Claim(
        lambda word: [_alias(word)], lambda pod, word: _alias(word) in pod["spec"]["hostAliases"]
    ),
    "dnsPolicy": Claim(
        lambda word: "Default" if word == "for-all" else "None",
        lambda pod, word: (
            pod["spec"]["dnsPolicy"] == ("Default" if word == "for-all" else "None")
        ),
        adds=False,
    ),
    "dnsConfig": Claim(
        lambda word: {"searches": [word], "nameservers": ["10.9.8.7"]},
        lambda pod, word: pod["spec"]["dnsConfig"]["searches"] == [word],
        adds=False,
    ),
    "serviceAccountName": _name("serviceAccountName"),
    "podSecurityContext": Claim(
        lambda word: {"runAsNonRoot": True, "seLinuxOptions": {"level": word}},
        lambda pod, word: pod["spec"]["securityContext"]["seLinuxOptions"] == {"level": word},
        adds=False,
    ),
    "containerSecurityContext": Claim(
        lambda word: {"capabilities": {"drop": [word]}},
        lambda pod, word: all(
            each["securityContext"]["capabilities"] == {"drop": [word]}
            for each in own_containers(pod)
        ),
        adds=False,
    ),
    "extraEnv": Claim(
        lambda word: [_secret(word)],
        lambda pod, word: _everywhere(pod, "env", _secret(word)),
    ),
    "envFrom": Claim(
        lambda word: [{"secretRef": {"name": word}}],
        lambda pod, word: _everywhere(pod, "envFrom", {"secretRef": {"name": word}}),
    ),
    "extraInitContainers": _container("extraInitContainers"),
    "extraContainers": _container("extraContainers"),
    "extraVolumes": Claim(
        lambda word: [{"name": word, "configMap": {"name": "{{ .at.adapter }}"}}],
        lambda pod, word: (
            {"name": word, "configMap": {"name": "crypto-volatility-adapter"}}
            in pod["spec"]["volumes"]
        ),
    ),
    "extraVolumeMounts": Claim(
        lambda word: [{"name": "theirs", "mountPath": f"/{word}", "readOnly": True}],
        lambda pod, word: _everywhere(
            pod, "volumeMounts", {"name": "theirs", "mountPath": f"/{word}", "readOnly": True}
        ),
    ),
}
BESIDE = {"extraContainers", "podDisruptionBudget"}
"""What is for pods that go on alone: a container beside it would keep a Job from its end."""

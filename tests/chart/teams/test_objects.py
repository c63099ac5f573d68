"""What a team sets beside pods: labels, accounts, budgets, claims, and objects of its own."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.chart.rendering import CHART, RELEASE, Manifest, Refused, named, one, rendered, setting
from tests.chart.teams.workloads import ALL, given, own_containers, pods, with_defaults

UNSET = {"runAsUser": None, "runAsGroup": None, "fsGroup": None}


def spec(objects: list[Manifest], name: str) -> Manifest:
    """Return the spec of a Deployment's pods."""
    found: Manifest = pods(objects)[f"Deployment/{RELEASE}-{name}"]["spec"]
    return found


def test_a_security_context_can_be_unset() -> None:
    """OpenShift gives each namespace its uids, and refuses a pod that names one; the rest stays."""
    for name, pod in pods(with_defaults(podSecurityContext=UNSET)).items():
        security = pod["spec"]["securityContext"]
        assert not set(UNSET) & set(security), name
        assert security["runAsNonRoot"] is True and "seccompProfile" in security, name
    for name, pod in pods(
        with_defaults(podSecurityContext=None, containerSecurityContext=None)
    ).items():
        assert "securityContext" not in pod["spec"], name
        assert not any("securityContext" in each for each in own_containers(pod)), name


def test_it_can_be_unset_for_one() -> None:
    """A context of its own takes the place of that for all, the image's uid too."""
    own = {"postgres": {"podSecurityContext": {"runAsNonRoot": True}}}
    objects = rendered(*ALL, *given({"components": own}))
    assert spec(objects, "postgres")["securityContext"] == {"runAsNonRoot": True}
    assert spec(objects, "grafana")["securityContext"]["runAsUser"] == 472
    assert spec(objects, "adapter")["securityContext"]["runAsUser"] == 10001


def test_it_can_be_unset_by_a_chart_above(tmp_path: Path) -> None:
    """A parent's null comes through as ours does."""
    shutil.copytree(CHART, tmp_path / "charts" / CHART.name, symlinks=False)
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: platform, version: 1.0.0}")
    values = {CHART.name: {"defaults": {"podSecurityContext": UNSET}}}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    for name, pod in pods(rendered(chart=str(tmp_path))).items():
        assert not set(UNSET) & set(pod["spec"]["securityContext"]), name


def test_labels_of_a_team_are_on_every_object_and_every_pod() -> None:
    """On those that outlive the release too; what pods are found by is the chart's to say."""
    options = given({"commonLabels": {"team": "risk", "app.kubernetes.io/name": "mine"}})
    plain, labelled = rendered(*ALL), rendered(*ALL, *options)
    assert len(plain) == len(labelled)
    for before, thing in zip(plain, labelled, strict=True):
        labels = thing["metadata"]["labels"]
        assert labels == before["metadata"]["labels"] | {"team": "risk"}, thing["metadata"]
    assert all(pod["metadata"]["labels"]["team"] == "risk" for pod in pods(labelled).values())
    for kind in ("Deployment", "StatefulSet", "Service", "PodDisruptionBudget"):
        for name, thing in named(labelled, kind).items():
            assert "team" not in str(thing["spec"].get("selector", {})), name
    (claim,) = one(labelled, "StatefulSet", "kafka")["spec"]["volumeClaimTemplates"]
    assert "team" not in claim["metadata"]["labels"], "Kubernetes lets nobody change it"


def test_labels_of_a_pod_never_change_how_it_is_found() -> None:
    """A label that is the chart's own stays."""
    mine = {"app.kubernetes.io/component": "mine"}
    found = pods(with_defaults(podLabels=mine))
    assert {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in found.values()} != {
        "mine"
    }


def account(**values: Any) -> tuple[list[Manifest], set[str]]:
    """Return the service accounts that are made, and the names of those that pods run under."""
    objects = rendered(*ALL, *given({"serviceAccount": values}))
    names = {pod["spec"]["serviceAccountName"] for pod in pods(objects).values()}
    return list(named(objects, "ServiceAccount").values()), names


def test_the_service_account_is_the_charts_or_a_teams() -> None:
    """Made with annotations, as clouds want them, under a name of yours, or not made at all."""
    (made,), names = account(annotations={"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"})
    assert made["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"
    }
    assert made["automountServiceAccountToken"] is False
    assert names == {made["metadata"]["name"]} == {RELEASE}
    (made,), names = account(name="mine")
    assert names == {made["metadata"]["name"]} == {"mine"}
    assert account(create=False, name="theirs") == ([], {"theirs"})
    assert account(create=False) == ([], {"default"})


def budgets(objects: list[Manifest]) -> dict[str, Manifest]:
    """Return what each disruption budget says, without its selector."""
    return {
        name: {key: value for key, value in thing["spec"].items() if key.endswith("vailable")}
        for name, thing in named(objects, "PodDisruptionBudget").items()
    }


def test_disruption_budgets_are_a_teams_to_set() -> None:
    """Off, another number, or what must stay; for all, or for one."""
    usual = budgets(rendered(*ALL))
    assert usual == {name: {"maxUnavailable": 1} for name in ("kafka", "adapter", "mlserver")}
    assert budgets(with_defaults(podDisruptionBudget={"enabled": False})) == {}
    own = {"kafka": {"podDisruptionBudget": {"enabled": False}}}
    own |= {"components": {"adapter": {"podDisruptionBudget": {"maxUnavailable": "50%"}}}}
    least = {"podDisruptionBudget": {"minAvailable": 1}}
    found = budgets(rendered(*ALL, *given({"defaults": least, **own})))
    assert found == {"adapter": {"maxUnavailable": "50%"}, "mlserver": {"minAvailable": 1}}


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "grafana", "mlflow", "postgres"])
def test_a_claim_of_a_team_takes_the_place_of_ours(name: str) -> None:
    """It is mounted, and none is made."""
    objects = rendered(*ALL, *setting(f"components.{name}.persistence.existingClaim=theirs"))
    volumes = {each["name"]: each for each in spec(objects, name)["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "theirs"}
    assert name not in named(objects, "PersistentVolumeClaim")


def test_candidates_may_go_to_a_claim_of_a_team() -> None:
    """The trainer, the claim's first user and the pod to read from have it; none is made."""
    objects = rendered(*setting("retraining.storage.existingClaim=theirs"))
    assert "candidates" not in named(objects, "PersistentVolumeClaim")
    users = [pod for pod in pods(objects).values() if "candidates" in str(pod["spec"]["volumes"])]
    assert len(users) == 3
    for pod in users:
        volumes = {each["name"]: each for each in pod["spec"]["volumes"]}
        assert volumes["candidates"]["persistentVolumeClaim"] == {"claimName": "theirs"}


def test_objects_of_a_team_are_installed_with_ours() -> None:
    """As maps and as text, with names that are templates."""
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .at.adapter }}-x"}}
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-y\n"
    objects = rendered(*given({"extraObjects": [whole, text]}))
    added = [thing for thing in objects if thing not in rendered()]
    assert {f"{RELEASE}-adapter-x", f"{RELEASE}-y"} <= {t["metadata"]["name"] for t in added}
    for thing in added:
        kubernetes_validate.validate(thing, "1.37", strict=True)


def test_what_is_no_yaml_is_refused() -> None:
    """A template that gives a quote too many ends the rendering; nothing half is installed."""
    with pytest.raises(Refused, match="YAML"):
        rendered(*given({"defaults": {"podAnnotations": {"a": '{{ "\\x27" }}'}}}))


def test_two_releases_side_by_side_share_no_name() -> None:
    """One namespace holds both, and no workload finds the other's pods."""
    first, second = (rendered(*ALL, release=name) for name in ("blue", "green"))
    names = Counter((thing["kind"], thing["metadata"]["name"]) for thing in [*first, *second])
    assert len(first) == len(second)
    assert not [name for name, count in names.items() if count > 1]
    for objects, other in ((first, second), (second, first)):
        labels = [pod["metadata"]["labels"] for pod in pods(other).values()]
        for thing in objects:
            wanted = thing.get("spec", {}).get("selector") or {}
            wanted = wanted.get("matchLabels", wanted)
            assert not any(wanted and wanted.items() <= each.items() for each in labels)

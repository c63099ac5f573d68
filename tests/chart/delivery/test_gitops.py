"""`gitops: true`: what is rendered follows from values alone; what they do not say is refused."""

from pathlib import Path

import kubernetes_validate
import pytest

from tests.chart.delivery.release import released
from tests.chart.profiles import PROFILES, containers
from tests.chart.rendering import (
    CHART,
    KIND,
    Manifest,
    Refused,
    named,
    one,
    pod_of,
    rendered,
    setting,
    text,
)

DIGESTS = ("serving.models.ml.digest=chart", "serving.models.baseline.digest=chart")
PASSWORDS = ("secrets.grafanaPassword.value=a", "secrets.postgresPassword.value=b")
GITOPS = setting("gitops=true", *DIGESTS, *PASSWORDS)
OTHER = "0123456789ab" + "c" * 52
PROMOTED = setting(
    *("gitops=true", *PASSWORDS, f"serving.models.ml.digest={OTHER}", DIGESTS[1]),
    "serving.models.ml.files={SHA256SUMS,card.json,model.json}",
)
"""A model that was promoted, beside the chart's baseline."""


def objects(profile: str) -> list[Manifest]:
    """Return all objects of a profile with `gitops: true`."""
    return rendered(*PROFILES[profile], *GITOPS)


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_the_same_bytes_each_time(profile: str) -> None:
    """Twice, and as an upgrade."""
    options = (*PROFILES[profile], *GITOPS)
    first = text(*options)
    assert first == text(*options) == text(*options, "--is-upgrade")


def test_the_revision_changes_nothing(tmp_path: Path) -> None:
    """A second revision has the manifest of the first, though all of it stands there now."""
    with released(tmp_path) as release:
        release.install("-f", KIND)
        first = release.manifest()
        release.upgrade("-f", KIND)
        assert release.manifest() != first  # Jobs of Helm's are named by revision
        release.helm("uninstall")
        release.install("-f", KIND, *GITOPS)
        first = release.manifest()
        release.upgrade("-f", KIND, *GITOPS)
        assert release.manifest() == first


def test_what_is_in_the_cluster_changes_nothing(tmp_path: Path) -> None:
    """Models, passwords and numbers of a release that Helm made are not looked at."""
    options = (*PROFILES["autoscaled"], *setting("serving.models.ml.digest="))
    given = ("-f", KIND, *setting("autoscaling.mode=hpa"), *GITOPS)
    with released(tmp_path) as release:
        release.install("-f", KIND, *setting("components.mlserver.replicas=3"))
        look = ("--is-upgrade", "--dry-run=server")
        seen = release.helm("template", str(CHART), *look, *options)
        assert seen != text(*options, "--is-upgrade")  # Helm looks, and names three replicas
        assert release.helm("template", str(CHART), *look, *given) == text(*given)


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_a_hook(profile: str) -> None:
    """What a pod mounts is an ordinary object, and there are no pods of `helm test`."""
    for thing in objects(profile):
        annotations = thing["metadata"].get("annotations") or {}
        assert not [key for key in annotations if key.startswith("helm.sh/hook")], thing["metadata"]
        assert thing["kind"] != "Pod"


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_every_object_is_valid(profile: str, version: str) -> None:
    """Kubernetes knows each object and each of its fields."""
    for thing in objects(profile):
        kubernetes_validate.validate(thing, version, strict=True)


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "models by image"])
def test_what_is_mounted_is_there(profile: str) -> None:
    """Each ConfigMap, Secret and claim that a pod names, unless it is somebody's own."""
    things = objects(profile)
    there = {(thing["kind"], thing["metadata"]["name"]) for thing in things}
    own = {"crypto-volatility"} if profile == "prod" else set()
    for thing in things:
        if thing["kind"] not in ("Deployment", "StatefulSet", "Job", "CronJob"):
            continue
        for kind, name in mounted(pod_of(thing)):
            assert (kind, name) in there or name in own, (thing["metadata"]["name"], kind, name)


def mounted(pod: Manifest) -> set[tuple[str, str]]:
    """Return kind and name of what a pod cannot start without."""
    found = set()
    for volume in pod.get("volumes", []):
        for source in [volume, *volume.get("projected", {}).get("sources", [])]:
            if "configMap" in source and not source["configMap"].get("optional"):
                found.add(("ConfigMap", source["configMap"]["name"]))
            if "secret" in source:
                found.add(("Secret", source["secret"]["secretName"]))
            if "persistentVolumeClaim" in source:
                claim = source["persistentVolumeClaim"]["claimName"]
                found.add(("PersistentVolumeClaim", claim))
    for container in containers(pod):
        for each in container.get("env", []):
            if ref := each.get("valueFrom", {}).get("secretKeyRef"):
                found.add(("Secret", ref["name"]))
    return found


@pytest.mark.parametrize(
    ("missing", "options", "name"),
    [
        (DIGESTS[0], (), "serving.models.ml.digest"),
        (DIGESTS[1], (), "serving.models.baseline.digest"),
        (PASSWORDS[0], (), "secrets.grafanaPassword.existingSecret"),
        (PASSWORDS[1], (), "secrets.postgresPassword.existingSecret"),
        (DIGESTS[0], (f"serving.models.ml.digest={OTHER}",), "serving.models.ml.files"),
        (DIGESTS[1], ("serving.models.baseline.digest=" + "9" * 12,), "models.baseline.files"),
    ],
)
def test_what_is_missing_is_named(missing: str, options: tuple[str, ...], name: str) -> None:
    """Rendering refuses, and says which value decides."""
    given = [pair for pair in (*DIGESTS, *PASSWORDS) if pair != missing]
    with pytest.raises(Refused, match=f"gitops: true .* found no [^,]*{name}"):
        text(*setting("gitops=true", "mlflow.enabled=true", *given), *strings(*options))


def strings(*pairs: str) -> tuple[str, ...]:
    """Return options that set text, though it may look like a number."""
    return tuple(part for pair in pairs for part in ("--set-string", pair))


def test_all_that_is_missing_is_named_at_once() -> None:
    """One rendering tells all."""
    with pytest.raises(Refused) as refused:
        text(*setting("gitops=true", "mlflow.enabled=true"))
    for name in ("models.ml.digest", "models.baseline.digest", "grafanaPass", "postgresPass"):
        assert name in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        (*DIGESTS, "monitoring.mode=none"),
        (*DIGESTS, "secrets.grafanaPassword.generate=false"),
        (*DIGESTS, "secrets.grafanaPassword.existingSecret=ours"),
        ("serving.models.image=models:1", *PASSWORDS),
    ],
)
def test_what_nobody_needs_is_not_asked_for(options: tuple[str, ...]) -> None:
    """No password of what does not run, no digest of models that come by an image."""
    assert rendered(*setting("gitops=true", *options))


@pytest.mark.parametrize("component", ["mlserver", "drift"])
def test_a_promoted_model_is_named_by_values(component: str) -> None:
    """Digest and files are enough to mount it, as a promotion would."""
    things = rendered(*PROMOTED)
    name = f"crypto-volatility-model-ml-{OTHER[:12]}"
    volumes = {v["name"]: v for v in pod_of(one(things, "Deployment", component))["volumes"]}
    sources = [source["configMap"] for source in volumes["models"]["projected"]["sources"]]
    (found,) = [source for source in sources if source["name"] == name]
    assert [item["key"] for item in found["items"]] == ["SHA256SUMS", "card.json", "model.json"]
    assert found.get("optional", False) is (component == "drift")


def test_the_template_says_which_model_was_named() -> None:
    """As the chart's own, so that the history of rollouts tells."""
    template = one(rendered(*PROMOTED), "Deployment", "mlserver")["spec"]["template"]
    assert template["metadata"]["annotations"]["crypto-volatility/model-ml"] == OTHER[:12]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_job_is_named_by_what_it_does_and_stays(profile: str) -> None:
    """A tool would make one anew that goes by itself."""
    for name, job in named(objects(profile), "Job").items():
        assert name.rpartition("-")[0] in ("topics", "candidates")
        assert "ttlSecondsAfterFinished" not in job["spec"]
    with_helm = named(rendered(*PROFILES[profile]), "Job")
    assert all(job["spec"]["ttlSecondsAfterFinished"] == 600 for job in with_helm.values())


def test_a_job_that_does_something_else_is_another() -> None:
    """Another image has another name, another value of others none."""
    before = set(named(rendered(*GITOPS), "Job"))
    assert set(named(rendered(*GITOPS, *strings("image.stream.tag=2")), "Job")) & before == set()
    assert set(named(rendered(*GITOPS, *setting("monitoring.retention=3d")), "Job")) == before


def test_what_outlives_the_rest_says_so_to_every_tool() -> None:
    """Helm, Argo CD and Flux leave claims, models and settings of before."""
    for thing in objects("kind, mlflow"):
        annotations = thing["metadata"].get("annotations") or {}
        kept = {
            "helm.sh/resource-policy": "keep",
            "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
            "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
            "kustomize.toolkit.fluxcd.io/prune": "disabled",
        }
        stays = thing["kind"] == "PersistentVolumeClaim" or thing.get("immutable", False)
        assert (kept.items() <= annotations.items()) is stays, thing["metadata"]["name"]


def test_no_number_of_pods_is_named_where_an_autoscaler_has_it() -> None:
    """A tool would put it back each time; all others have theirs."""
    deployments = named(objects("autoscaled"), "Deployment")
    bare = {name for name, thing in deployments.items() if "replicas" not in thing["spec"]}
    assert bare == {"adapter", "mlserver"}


def test_another_number_of_brokers_is_refused_by_the_api_server(tmp_path: Path) -> None:
    """What nobody looks up is held by what cannot be changed."""
    with released(tmp_path) as release:
        release.install("-f", KIND, *GITOPS)
        with pytest.raises(Refused, match=r"kafka-quorum.*immutable"):
            release.upgrade("-f", KIND, *GITOPS, *setting("kafka.nodes=3"))


def test_a_release_of_helms_can_go_over_to_it_and_back(tmp_path: Path) -> None:
    """Models that were hooks are taken over, and stay when the release goes back."""
    with released(tmp_path) as release:
        release.install("-f", KIND)
        models = [name for name in release.store.names("configmaps") if "-model-" in name]
        release.upgrade("-f", KIND, *GITOPS)
        assert len(models) == 2 and set(models) <= set(release.store.names("configmaps"))
        release.helm("rollback", "1")
        assert set(models) <= set(release.store.names("configmaps"))


def test_chart_is_the_charts_own_model_with_helm_too() -> None:
    """Whatever was promoted since."""
    assert rendered(*setting(*DIGESTS), "-f", KIND) == rendered("-f", KIND)

"""`helm uninstall` leaves what docs/kubernetes.md names, and a second install takes it over."""

import re
from pathlib import Path

import pytest

from tests.chart.delivery.release import Release, released
from tests.chart.delivery.test_gitops import GITOPS
from tests.chart.profiles import PROFILES, objects
from tests.chart.rendering import RELEASE, ROOT, Manifest, rendered, setting

PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
TABLE = re.findall(r"^\| (\w+) \| (`[^|]+`) \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
Left = set[tuple[str, str]]


def stays(thing: Manifest) -> bool:
    """Say whether Helm leaves an object: kept by policy, or a hook that may outlive its run."""
    annotations = thing["metadata"].get("annotations") or {}
    policies = annotations.get("helm.sh/hook-delete-policy", "")
    goes = {"hook-succeeded", "hook-failed"} <= set(policies.split(","))
    kept = annotations.get("helm.sh/resource-policy") == "keep"
    return kept or ("helm.sh/hook" in annotations and not goes)


def claims(thing: Manifest) -> list[Manifest]:
    """Return the claims that the controller makes for a StatefulSet, which it leaves."""
    if thing["kind"] != "StatefulSet":
        return []
    policy = thing["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert policy == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    return [
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": f"{each['metadata']['name']}-{thing['metadata']['name']}-{number}",
                "labels": each["metadata"]["labels"],
            },
        }
        for each in thing["spec"]["volumeClaimTemplates"]
        for number in range(thing["spec"]["replicas"])
    ]


def left_of(things: list[Manifest]) -> list[Manifest]:
    """Return what an uninstall leaves of objects, those that controllers made too."""
    made = [claim for thing in things for claim in claims(thing)]
    return [*made, *(thing for thing in things if stays(thing))]


def named(things: list[Manifest]) -> Left:
    """Return kind and name of objects."""
    return {(thing["kind"], thing["metadata"]["name"]) for thing in things}


def patterns() -> Left:
    """Return what the page names: kind and a pattern of a name."""
    return {
        (kind, re.sub(r"<\w+>", "[0-9a-z]+", name))
        for kind, cell in TABLE
        for name in re.findall(r"`([^`]+)`", cell)
    }


def matching(kind: str, name: str) -> Left:
    """Return the rows of the page that mean an object."""
    return {(k, each) for k, each in patterns() if k == kind and re.fullmatch(each, name)}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("gitops", [(), GITOPS])
def test_the_page_names_all_that_is_left(profile: str, gitops: tuple[str, ...]) -> None:
    """Each object that stays has one row."""
    for kind, name in named(left_of(rendered(*PROFILES[profile], *gitops))):
        assert len(matching(kind, name)) == 1, (kind, name)


def test_the_page_names_nothing_else() -> None:
    """Each row is of something that stays in some profile."""
    found: Left = set()
    for profile in PROFILES:
        for options in ((), GITOPS):
            left = named(left_of(rendered(*PROFILES[profile], *options)))
            found = found.union(*(matching(kind, name) for kind, name in left))
    assert found == patterns()


@pytest.mark.parametrize("profile", PROFILES)
def test_one_command_removes_the_rest(profile: str) -> None:
    """It names the kinds of all that is left, and a label that all of it has."""
    said = r"^kubectl delete ([\w,]+) --selector (app\.kubernetes\.io/instance)=([\w-]+)$"
    ((kinds, label, value),) = re.findall(said, PAGE, re.MULTILINE)
    short = {"pvc": "PersistentVolumeClaim", "configmap": "ConfigMap", "secret": "Secret"}
    removed = {(short | {"pod": "Pod"})[kind] for kind in kinds.split(",")}
    for thing in left_of(objects(profile)):
        assert thing["kind"] in removed
        assert thing["metadata"]["labels"][label] == value == RELEASE


@pytest.fixture
def release(tmp_path: Path) -> object:
    """Nothing installed yet."""
    with released(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    "profile", ["default", "kind, mlflow", "prod", "models by image", "no monitoring"]
)
def test_helm_leaves_it_and_takes_it_over(release: Release, profile: str) -> None:
    """Installed, removed and installed again, by Helm itself; the second is not refused."""
    options = PROFILES[profile]
    release.install(*options)
    for claim in (c for thing in objects(profile) for c in claims(thing)):
        release.store.create("persistentvolumeclaims", claim)
    release.helm("uninstall")
    expected = {(k, n) for k, n in named(left_of(objects(profile))) if k != "Pod"}
    there = {(thing["kind"], name) for (_, name), thing in release.store.objects.items()}
    assert there == expected
    before = {key: thing["metadata"]["uid"] for key, thing in release.store.objects.items()}
    release.install(*options)
    kept = [key for key in before if key[0] in ("persistentvolumeclaims", "secrets")]
    assert kept
    for key in kept:
        assert release.store.objects[key]["metadata"]["uid"] == before[key], key


def test_a_second_release_of_another_name_is_not_in_the_way(release: Release) -> None:
    """What one leaves is nobody else's: names and labels are its own."""
    others = named(left_of(rendered(*setting("fullnameOverride=other"))))
    assert not others & named(left_of(rendered()))

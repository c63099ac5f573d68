"""The release ends and begins anew on what stays, grows by load, goes back, and is removed."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.e2e.kind.drill import Drill, until
from tests.e2e.models import Model
from tests.e2e.stack import until_none

KINDS = "deployments,statefulsets,replicasets,pods,services,jobs,cronjobs,networkpolicies"
SIX = {"minReplicas": 2, "maxReplicas": 6, "cpuPercent": 1}
"""Adapters: any load asks for all six."""
CALM = {"minReplicas": 2, "maxReplicas": 2, "cpuPercent": 400}
LOOK = 0.5
"""Seconds between two looks at a number that must not fall."""


def test_uninstall_is_clean(drill: Drill) -> None:
    """`helm uninstall` leaves the brokers' volumes and the models, and nothing else of ours."""
    cluster = drill.cluster
    drill.load.stop()
    assert not drill.load.failures, "between the steps"
    with drill.report.step("helm uninstall", 2):
        cluster.helm("uninstall", cluster.release, "--wait", "--timeout", "2m")
        until_none(lambda: names(drill, KINDS), 110)
    assert set(volumes(drill)) >= {f"data-{cluster.named('kafka')}-{number}" for number in range(3)}
    ours = [name for name in names(drill, "configmaps") if name.startswith(cluster.release)]
    named = ("-model-", "-mlserver-settings-")
    assert ours and all(any(part in name for part in named) for name in ours), ours


def test_it_begins_anew_on_what_was_left(drill: Drill, first: Model) -> None:
    """Under the same name it finds the volumes of before, with their topics, and its models."""
    before = volumes(drill)
    scaled = {"mode": "hpa", "adapter": SIX, "mlserver": CALM}
    with drill.report.step("helm install on what was left, with autoscaling", 5):
        drill.cluster.reinstall({"autoscaling": scaled})
    assert volumes(drill) == before
    drill.prefix = ""
    assert drill.counts("outcomes")["outcomes"] > 0, "the topics of before are gone"
    until(drill.in_sync)
    drill.serves(first)
    drill.flows()


def test_six_adapters_come(drill: Drill) -> None:
    """By load, or by hand where nothing measures it."""
    drill.resume_load()
    with drill.report.step("six adapters", 3):
        if not drill.cluster.knows_load():
            drill.cluster.scale("adapter", 6)
        until(lambda: drill.cluster.ready("adapter", 6))


def test_an_upgrade_keeps_six(drill: Drill) -> None:
    """Each pod is replaced, and the number is the autoscaler's."""
    with drill.report.step("helm upgrade with six adapters", 5), never_fewer(drill, 6):
        limit = {"ADAPTER_RATE_LIMIT": "90000/minute"}
        drill.cluster.upgrade({"components": {"adapter": {"env": limit}}})


def test_a_rollback_keeps_six(drill: Drill) -> None:
    """To the first revision, which was rendered when there was nothing."""
    cluster = drill.cluster
    with drill.report.step("helm rollback with six adapters", 5), never_fewer(drill, 6):
        cluster.helm("rollback", cluster.release, "1", "--wait", "--timeout", "5m")
        until(lambda: cluster.ready("adapter", 6))


def test_the_rest_is_removed_by_one_command(drill: Drill) -> None:
    """As docs/kubernetes.md says; nothing of the release is left."""
    cluster = drill.cluster
    drill.load.stop()
    assert not drill.load.failures, "between the steps"
    with drill.report.step("helm uninstall, and the rest", 2):
        cluster.helm("uninstall", cluster.release, "--wait", "--timeout", "2m")
        until_none(lambda: names(drill, KINDS), 110)
        labels = f"app.kubernetes.io/instance={cluster.release}"
        kinds = "persistentvolumeclaims,configmaps,secrets,pods"
        cluster.kubectl("delete", kinds, "--selector", labels)
    assert [name for name in names(drill, kinds) if name.startswith(cluster.release)] == []
    assert volumes(drill) == {}


@contextmanager
def never_fewer(drill: Drill, number: int) -> Iterator[None]:
    """Look at the number of adapters asked for, again and again; it never falls."""
    seen, over = [replicas(drill)], Event()

    def look() -> None:
        while not over.wait(LOOK):
            seen.append(replicas(drill))

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert min([*seen, replicas(drill)]) >= number, seen


def replicas(drill: Drill) -> int:
    """Return how many adapters are asked for."""
    return int(drill.cluster.get("deployment", drill.cluster.named("adapter"))["spec"]["replicas"])


def volumes(drill: Drill) -> dict[str, str]:
    """Return which volume each claim is bound to."""
    claims = drill.cluster.get("persistentvolumeclaims")["items"]
    return {each["metadata"]["name"]: each["spec"].get("volumeName", "") for each in claims}


def names(drill: Drill, kinds: str) -> list[str]:
    """Return the names of what there is of these kinds."""
    return [each["metadata"]["name"] for each in drill.cluster.get(kinds)["items"]]

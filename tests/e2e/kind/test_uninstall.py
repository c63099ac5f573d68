"""The release ends: what stays is what the documentation says."""

from tests.e2e.kind.drill import Drill
from tests.e2e.stack import until_none

KINDS = "deployments,statefulsets,replicasets,pods,services,jobs,cronjobs,networkpolicies"


def test_uninstall_is_clean(drill: Drill) -> None:
    """`helm uninstall` leaves the brokers' volumes and the models, and nothing else of ours."""
    cluster = drill.cluster
    drill.load.stop()
    assert not drill.load.failures, "between the steps"
    with drill.report.step("helm uninstall", 2):
        cluster.helm("uninstall", cluster.release, "--wait", "--timeout", "2m")
        until_none(lambda: names(drill, KINDS), 110)
    claims = names(drill, "persistentvolumeclaims")
    assert set(claims) >= {f"data-{cluster.named('kafka')}-{number}" for number in range(3)}
    ours = [name for name in names(drill, "configmaps") if name.startswith(cluster.release)]
    named = ("-model-", "-mlserver-settings-")
    assert ours and all(any(part in name for part in named) for name in ours), ours


def names(drill: Drill, kinds: str) -> list[str]:
    """Return the names of what there is of these kinds."""
    return [each["metadata"]["name"] for each in drill.cluster.get(kinds)["items"]]

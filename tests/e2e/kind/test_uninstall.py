"""The release ends: what stays is what the documentation says."""

from tests.e2e.kind.drill import Drill
from tests.e2e.stack import until_none

KINDS = "deployments,statefulsets,replicasets,pods,services,jobs,cronjobs,networkpolicies"


def test_uninstall_is_clean(drill: Drill) -> None:
    """`helm uninstall` leaves the brokers' volumes and the models, and nothing else of ours."""
    cluster = drill.cluster
    drill.load.stop()
    assert not drill.load.failures, "between the steps"
    with drill.report.step("helm uninstall"):
        cluster.helm("uninstall", cluster.release, "--wait", "--timeout", "2m")
        until_none(lambda: [each["metadata"]["name"] for each in cluster.get(KINDS)["items"]])
    claims = [each["metadata"]["name"] for each in cluster.get("persistentvolumeclaims")["items"]]
    assert set(claims) >= {f"data-{cluster.named('kafka')}-{number}" for number in range(3)}
    kept = [each["metadata"]["name"] for each in cluster.get("configmaps")["items"]]
    ours = [name for name in kept if name.startswith(cluster.release)]
    named = ("-model-", "-mlserver-settings-")
    assert ours and all(any(part in name for part in named) for name in ours), ours

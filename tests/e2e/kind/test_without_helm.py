"""What `helm template` makes with `gitops: true`, applied by kubectl: it runs, and stays so."""

import json
from typing import Any, Final

from tests.e2e.kind.drill import Drill, until
from tests.e2e.models import Model

DECIDED: Final[dict[str, Any]] = {
    "gitops": True,
    "serving": {"models": {"ml": {"digest": "chart"}, "baseline": {"digest": "chart"}}},
}


def apply(drill: Drill) -> None:
    """Render and apply, as docs/gitops.md says."""
    rendered = drill.cluster.rendered(DECIDED)
    drill.cluster.kubectl("apply", "--server-side", "--filename", "-", stdin=rendered)


def test_it_is_applied(drill: Drill, first: Model) -> None:
    """Services wait for the topics' Job by themselves, and the chart's model serves."""
    space = {"apiVersion": "v1", "kind": "Namespace"}
    space |= {"metadata": {"name": drill.cluster.namespace}}
    with drill.report.step("helm template | kubectl apply", 5):
        drill.cluster.kubectl("apply", "--filename", "-", stdin=json.dumps(space))
        apply(drill)
        for component in drill.replicas:
            drill.cluster.rolled(component)
        until(lambda: drill.cluster.ready("adapter", 2))
    drill.serves(first)
    drill.flows()


def test_applied_again_nothing_changes(drill: Drill) -> None:
    """No pod is another, no Job is made anew, and kubectl finds no difference."""
    before = uids(drill)
    with drill.report.step("helm template | kubectl apply, once more"):
        apply(drill)
    rendered = drill.cluster.rendered(DECIDED)
    drill.cluster.kubectl("diff", "--server-side", "--filename", "-", stdin=rendered)
    assert uids(drill) == before


def uids(drill: Drill) -> dict[str, str]:
    """Return what pods and Jobs there are, by name."""
    items = drill.cluster.get("pods,jobs")["items"]
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in items}

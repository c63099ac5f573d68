"""How Services are reached from outside: type, balancer, sources and annotations."""

import kubernetes_validate
import pytest

from tests.chart.rendering import Manifest, Refused, one, rendered, setting


def service(name: str, *pairs: str) -> Manifest:
    """Return a Service as rendered with settings of its component."""
    given = [f"components.{name}.service.{pair}" for pair in pairs]
    return one(rendered(*setting(*given)), "Service", name)


def test_a_balancer_is_told_all_that_the_values_say() -> None:
    """Kubernetes knows each field, under the name that it has there."""
    found = service(
        "adapter",
        "type=LoadBalancer",
        "externalTrafficPolicy=Local",
        "loadBalancerClass=service.k8s.aws/nlb",
        "loadBalancerSourceRanges={10.0.0.0/8,fd00::/8}",
        "annotations.example\\.org/scheme=internal",
    )
    kubernetes_validate.validate(found, "1.37", strict=True)
    spec = found["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    assert spec["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert spec["loadBalancerSourceRanges"] == ["10.0.0.0/8", "fd00::/8"]
    assert found["metadata"]["annotations"] == {"example.org/scheme": "internal"}


def test_annotations_stand_beside_the_charts_own() -> None:
    """MLServer's Service says which models the chart brought."""
    before = service("mlserver")["metadata"]["annotations"]
    after = service("mlserver", "annotations.a=b")["metadata"]["annotations"]
    assert len(before) == 2
    assert after == before | {"a": "b"}


def test_a_service_is_for_the_cluster_unless_asked() -> None:
    """No field of a balancer, and no annotation."""
    found = service("adapter")
    assert found["spec"].keys() == {"type", "selector", "ports"}
    assert found["spec"]["type"] == "ClusterIP" and "annotations" not in found["metadata"]


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (("externalTrafficPolicy=Local",), "externalTrafficPolicy: found Local of a ClusterIP"),
        (("type=NodePort", "loadBalancerClass=x"), "loadBalancerClass: found it of a NodePort"),
        (("loadBalancerSourceRanges={10.0.0.0/8}",), "loadBalancerSourceRanges: found it of a"),
        (("type=LoadBalancer", "loadBalancerSourceRanges={office}"), "loadBalancerSourceRanges"),
        (("type=ExternalName",), "type"),
    ],
)
def test_what_kubernetes_would_refuse_is_refused_by_name(pairs: tuple[str, ...], said: str) -> None:
    """Before anything is installed."""
    with pytest.raises(Refused, match=said):
        service("adapter", *pairs)

"""NetworkPolicies: what may speak to what."""

from typing import Any

import pytest
import yaml

from tests.chart.profiles import PROFILES, objects
from tests.chart.rendering import CHART, Refused, named, rendered, setting

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
COMPONENT = "app.kubernetes.io/component"
Path = tuple[str, str, int]

WITH_POLICIES = [name for name in PROFILES if name != "no policies"]


def policies(profile: str) -> dict[str, Any]:
    """Return the specs of the policies by component."""
    return {name: each["spec"] for name, each in named(objects(profile), "NetworkPolicy").items()}


def component(peer: dict[str, Any]) -> str | None:
    """Return the component that a peer stands for; None for peers of other kinds."""
    if set(peer) != {"podSelector"}:
        return None
    return str(peer["podSelector"]["matchLabels"][COMPONENT])


def paths(profile: str, direction: str) -> set[Path]:
    """Return (from, to, port) as the policies of one direction say it."""
    key, side = {"egress": ("egress", "to"), "ingress": ("ingress", "from")}[direction]
    found = set()
    for name, spec in policies(profile).items():
        for rule in spec.get(key, []):
            for other in filter(None, map(component, rule.get(side, []))):
                ends = (name, other) if direction == "egress" else (other, name)
                found |= {(*ends, each["port"]) for each in rule["ports"]}
    return found


@pytest.mark.parametrize("profile", WITH_POLICIES)
def test_all_pods_are_closed_both_ways(profile: str) -> None:
    """A policy without rules selects every pod of the release."""
    spec = policies(profile)["default-deny"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec and "egress" not in spec
    assert COMPONENT not in spec["podSelector"]["matchLabels"]


@pytest.mark.parametrize("profile", WITH_POLICIES)
def test_no_list_is_empty(profile: str) -> None:
    """The API server keeps none, so that whoever applies the chart again would change it again."""
    assert all(
        spec.get(way, [None])
        for spec in policies(profile).values()
        for way in ("ingress", "egress")
    )


@pytest.mark.parametrize("profile", WITH_POLICIES)
def test_each_way_is_open_at_both_ends(profile: str) -> None:
    """Whoever may go out to a pod is let in there, by the same port."""
    assert paths(profile, "egress") == paths(profile, "ingress")


@pytest.mark.parametrize("profile", WITH_POLICIES)
def test_what_connects_says_is_open(profile: str) -> None:
    """Every pair of `connects` whose both ends are there has its way, by the port it names."""
    open_ways = paths(profile, "egress")
    there = set(policies(profile))
    for client, entry in VALUES["components"].items():
        for name in entry.get("connects", []):
            target, _, port = name.partition(":")
            if not {client, target} <= there:
                continue
            ports = (
                {"clients": 9092} if target == "kafka" else VALUES["components"][target]["ports"]
            )
            wanted = port or ("clients" if target == "kafka" else "http")
            assert (client, target, ports[wanted]) in open_ways


def test_the_model_server_is_open_to_three() -> None:
    """Adapter and scorer by REST, Prometheus by the port of metrics; nobody else."""
    into = {way for way in paths("kind, mlflow", "ingress") if way[1] == "mlserver"}
    assert into == {
        ("adapter", "mlserver", 8080),
        ("scorer", "mlserver", 8080),
        ("prometheus", "mlserver", 8082),
    }
    assert all(rule.get("from") for rule in policies("kind, mlflow")["mlserver"]["ingress"])


@pytest.mark.parametrize(
    ("profile", "doors"),
    [
        ("default", {"adapter"}),
        ("kind, mlflow", {"adapter", "monitor", "grafana", "prometheus", "mlflow"}),
        ("prod", set()),
    ],
)
def test_front_doors_are_those_named(profile: str, doors: set[str]) -> None:
    """A door open to anybody is a component of `networkPolicy.ingressFrom` with an empty list."""
    open_doors = {
        name
        for name, spec in policies(profile).items()
        if any("from" not in rule for rule in spec.get("ingress", []))
    }
    assert open_doors == doors


def test_only_the_ingestor_leaves_the_cluster() -> None:
    """The exchange is on the internet, by port 443, and our own networks are not."""
    out = {
        name: rule
        for name, spec in policies("default").items()
        for rule in spec.get("egress", [])
        if any("ipBlock" in peer for peer in rule["to"])
    }
    assert set(out) == {"ingestor"}
    assert out["ingestor"]["ports"] == [{"port": 443, "protocol": "TCP"}]
    assert "10.0.0.0/8" in out["ingestor"]["to"][0]["ipBlock"]["except"]


def test_a_cluster_without_the_exchange_lets_nobody_out() -> None:
    """values-kind.yaml has a simulator instead."""
    peers = [p for s in policies("kind").values() for r in s.get("egress", []) for p in r["to"]]
    assert not any("ipBlock" in peer for peer in peers)


@pytest.mark.parametrize("profile", WITH_POLICIES)
def test_everybody_may_resolve_names(profile: str) -> None:
    """The name servers of the cluster are open to each component, by UDP and TCP."""
    for name, spec in policies(profile).items():
        if name != "default-deny":
            first = spec["egress"][0]
            assert {(each["port"], each["protocol"]) for each in first["ports"]} == {
                (53, "UDP"),
                (53, "TCP"),
            }


def test_a_prometheus_of_ones_own_is_let_in_to_metrics_only() -> None:
    """`scrapeFrom` opens each component's port with metrics."""
    peer = "networkPolicy.scrapeFrom[0].namespaceSelector.matchLabels.team=watch"
    things = rendered(*setting("monitoring.mode=none", peer))
    rules = named(things, "NetworkPolicy")["mlserver"]["spec"]["ingress"]
    mine = [rule for rule in rules if "namespaceSelector" in rule["from"][0]]
    assert [rule["ports"] for rule in mine] == [[{"port": 8082, "protocol": "TCP"}]]


def test_a_connection_to_a_port_that_is_not_there_is_refused() -> None:
    """A name in `connects` must be one of the target's ports."""
    with pytest.raises(Refused, match="expected one of the ports of mlserver: grpc, http, metrics"):
        rendered(*setting("components.scorer.connects={kafka,mlserver:rest}"))


def test_policies_can_be_left_out() -> None:
    """`networkPolicy.enabled: false` makes none, for a cluster with rules of its own."""
    assert named(objects("no policies"), "NetworkPolicy") == {}

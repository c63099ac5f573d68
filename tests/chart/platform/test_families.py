"""IPv4, IPv6 and both: every Service, what listens behind it, who may leave, what is scraped."""

import kubernetes_validate
import pytest
import yaml

from tests.chart.rendering import (
    Manifest,
    Refused,
    named,
    one,
    pod_of,
    rendered,
    setting,
    variables,
)

ALL = ("mlflow.enabled=true", "components.simulator.enabled=true")
BOTH = (*ALL, "ip.listen=::", "ip.familyPolicy=PreferDualStack", "ip.families={IPv6,IPv4}")
OWN_PROGRAMS = {"prometheus", "alertmanager", "grafana", "postgres"}
"""Of others, which listen at every address of both families by themselves."""


def services(*pairs: str) -> dict[str, Manifest]:
    """Return the specs of all Services by name."""
    things = named(rendered(*setting(*pairs)), "Service")
    return {name: each["spec"] for name, each in things.items()}


def test_every_service_has_the_families() -> None:
    """Kafka's too; those by which pods are scraped have the first one alone."""
    for thing in named(rendered(*setting(*BOTH)), "Service").values():
        kubernetes_validate.validate(thing, "1.37", strict=True)
    found = services(*BOTH)
    assert {"kafka", "kafka-nodes", "adapter", "adapter-pods", "postgres"} <= found.keys()
    for name, spec in found.items():
        asked = (spec["ipFamilyPolicy"], spec["ipFamilies"])
        scraped = name.endswith("-pods")
        wanted = ("SingleStack", ["IPv6"]) if scraped else ("PreferDualStack", ["IPv6", "IPv4"])
        assert asked == wanted, name


def test_unasked_the_cluster_decides() -> None:
    """No Service has a field of families."""
    for name, spec in services(*ALL).items():
        assert not [field for field in spec if field.startswith("ipFamil")], name


def test_a_services_own_families_go_before_those_for_all() -> None:
    """One that is published by a balancer may have both, beside others of one."""
    own = "components.adapter.service.ipFamilyPolicy=RequireDualStack"
    found = services("ip.listen=::", "ip.families={IPv6}", own)
    assert found["adapter"]["ipFamilyPolicy"] == "RequireDualStack"
    assert "ipFamilyPolicy" not in found["monitor"]
    assert found["monitor"]["ipFamilies"] == found["adapter"]["ipFamilies"] == ["IPv6"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("ip.families={IPv6}",), "expected ip.listen ::"),
        (("ip.familyPolicy=PreferDualStack",), "expected ip.listen ::"),
        (("components.adapter.service.ipFamilies={IPv6}",), "components.adapter.service"),
        (
            ("ip.listen=::", "ip.familyPolicy=SingleStack", "ip.families={IPv4,IPv6}"),
            "found SingleStack and the families IPv4, IPv6",
        ),
        (("ip.listen=127.0.0.1",), "listen"),
        (("ip.families={IPv5}",), "families"),
    ],
)
def test_what_could_not_be_reached_is_refused_by_name(given: tuple[str, ...], said: str) -> None:
    """IPv6 asked for while processes listen on IPv4 alone, or two families of one."""
    with pytest.raises(Refused, match=said):
        rendered(*setting(*given))


def test_every_process_is_told_to_listen_on_both() -> None:
    """Ours by one variable; MLServer by a name that its pod knows, and MLflow by no name."""
    things = rendered(*setting(*BOTH))
    for name, thing in named(things, "Deployment").items():
        pod = pod_of(thing)
        (container,) = pod["containers"]
        given = variables(container)
        if name in OWN_PROGRAMS:
            assert "0.0.0.0" not in str(container), name
        elif name == "mlserver":
            aliases = {each["ip"]: each["hostnames"] for each in pod["hostAliases"]}
            assert aliases == {"::": [given["MLSERVER_HOST"]], "0.0.0.0": [given["MLSERVER_HOST"]]}
        elif name == "mlflow":
            assert "--host=" in container["command"]
        else:
            assert given["LISTEN_HOST"] == "::", name
    (broker,) = pod_of(one(things, "StatefulSet", "kafka"))["containers"]
    (listeners,) = [each["value"] for each in broker["env"] if each["name"] == "KAFKA_LISTENERS"]
    assert listeners == "PLAINTEXT://:9092,CONTROLLER://:9093", "no address: both families"


def test_by_default_everything_listens_on_ipv4() -> None:
    """As before, and no pod has names of its own in /etc/hosts."""
    things = rendered(*setting(*ALL))
    pods = {name: pod_of(thing) for name, thing in named(things, "Deployment").items()}
    assert not [name for name, pod in pods.items() if "hostAliases" in pod]
    assert variables(pods["mlserver"]["containers"][0])["MLSERVER_HOST"] == "0.0.0.0"
    assert "--host=0.0.0.0" in pods["mlflow"]["containers"][0]["command"]
    assert variables(pods["adapter"]["containers"][0])["LISTEN_HOST"] == "0.0.0.0"


def test_prometheus_looks_for_either_family() -> None:
    """A headless Service has addresses of one, so that each pod is found once."""
    text = one(rendered(*setting(*BOTH)), "ConfigMap", "prometheus")["data"]["prometheus.yml"]
    for job in yaml.safe_load(text)["scrape_configs"]:
        found = job["dns_sd_configs"]
        assert [each["type"] for each in found] == ["A", "AAAA"]
        assert len({str(each["names"]) for each in found}) == 1


@pytest.mark.parametrize(
    ("pairs", "blocks"),
    [
        ((), {"0.0.0.0/0": "10.0.0.0/8"}),
        (("ip.listen=::",), {"0.0.0.0/0": "10.0.0.0/8", "::/0": "fc00::/7"}),
    ],
)
def test_the_internet_of_each_family_leaves_out_networks_of_its_own(
    pairs: tuple[str, ...], blocks: dict[str, str]
) -> None:
    """Kubernetes refuses an exception of the other family."""
    policy = one(rendered(*setting(*pairs)), "NetworkPolicy", "ingestor")
    found = {
        peer["ipBlock"]["cidr"]: peer["ipBlock"]["except"]
        for rule in policy["spec"]["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer
    }
    assert found.keys() == blocks.keys()
    for cidr, excepted in found.items():
        assert blocks[cidr] in excepted
        assert all((":" in each) is (":" in cidr) for each in excepted)

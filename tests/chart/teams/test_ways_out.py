"""What a company puts between a cluster and the world: registry, digests, proxy, authorities."""

from typing import Any
from urllib.request import proxy_bypass_environment

import kubernetes_validate
import pytest

from plumbing.proxies import proxy_for
from tests.chart.rendering import RELEASE, Manifest, Refused, one, rendered, setting
from tests.chart.teams.workloads import ALL, given, own_containers, pods

DIGEST = "sha256:" + "0123456789abcdef" * 4
PROXY = "http://proxy.example:3128"
EXCHANGE = "advanced-trade-ws.coinbase.com"


def images(objects: list[Manifest]) -> set[str]:
    """Return all images of the chart's containers."""
    return {each["image"] for pod in pods(objects).values() for each in own_containers(pod)}


def by_digest() -> dict[str, Any]:
    """Return values that pin every image, ours with a tag beside, others' without."""
    theirs = {"digest": DIGEST, "tag": ""}
    foreign = ("prometheus", "alertmanager", "grafana", "postgres")
    return {
        "image": {name: {"digest": DIGEST, "tag": "1.2"} for name in ("stream", "ml")},
        "kafka": {"image": theirs},
        "components": {name: {"image": theirs} for name in foreign},
    }


def test_every_image_can_be_pinned_by_digest() -> None:
    """Beside a tag, or instead of one; in a registry of the team's too."""
    registry = {"global": {"imageRegistry": "reg.corp:5000/mirror"}}
    found = images(rendered(*ALL, *given({**by_digest(), **registry})))
    assert {image.partition("@")[2] for image in found} == {DIGEST}
    assert {image.removeprefix("reg.corp:5000/mirror/").partition("@")[0] for image in found} == {
        *("crypto-volatility/stream:1.2", "crypto-volatility/ml:1.2"),
        *("apache/kafka", "prom/prometheus", "prom/alertmanager", "grafana/grafana", "postgres"),
    }


def test_ours_by_digest_alone_has_no_tag_of_the_charts() -> None:
    """The chart's version is the tag only where nothing else is said."""
    found = images(rendered(*given({"image": {"stream": {"digest": DIGEST}}})))
    assert f"crypto-volatility/stream@{DIGEST}" in found
    assert "crypto-volatility/ml:0.1.0" in found


@pytest.mark.parametrize(
    "wrong",
    ["kafka.image.tag=", "kafka.image.digest=sha256:12", "components.grafana.image.tag="],
)
def test_an_image_that_may_move_is_refused(wrong: str) -> None:
    """Neither tag nor digest would be the latest; half a digest is none."""
    with pytest.raises(Refused, match="don't meet the specifications of the schema"):
        rendered("--set-string", wrong)


@pytest.mark.parametrize(
    ("repository", "within"),
    [
        ("quay.io/team/kafka", "team/kafka"),
        ("registry:5000/team/kafka", "team/kafka"),
        ("localhost/kafka", "kafka"),
        ("team/kafka", "team/kafka"),
    ],
)
def test_a_registry_takes_the_place_of_a_host(repository: str, within: str) -> None:
    """A host has a dot or a port in it, or is localhost; else it is a part of the name."""
    pairs = setting("global.imageRegistry=reg.corp", f"kafka.image.repository={repository}")
    pod = pods(rendered(*pairs))[f"StatefulSet/{RELEASE}-kafka"]
    assert pod["spec"]["containers"][0]["image"] == f"reg.corp/{within}:4.3.1"


@pytest.mark.parametrize(
    ("image", "named"),
    [("models:1", "reg.corp/models:1"), ("own.corp/models:1", "own.corp/models:1")],
)
def test_an_image_of_models_is_of_the_registry_too(image: str, named: str) -> None:
    """Unless it names a host of its own."""
    pairs = setting("global.imageRegistry=reg.corp", f"serving.models.image={image}")
    first, *_ = pods(rendered(*pairs))[f"Deployment/{RELEASE}-mlserver"]["spec"]["initContainers"]
    assert first["image"] == named


def test_images_are_pulled_with_secrets_of_the_chart_and_of_a_parent() -> None:
    """By name or as Kubernetes writes it, each once, on every pod."""
    parent = {"global": {"imagePullSecrets": ["theirs", {"name": "also"}, "mine"]}}
    for name, pod in pods(
        rendered(*ALL, *given({"image": {"pullSecrets": ["mine"]}, **parent}))
    ).items():
        names = [each["name"] for each in pod["spec"]["imagePullSecrets"]]
        assert names == ["mine", "theirs", "also"], name


PROXIED = {"proxy": {"https": PROXY, "http": PROXY, "none": ["git.corp"]}}
OF_THE_PARENT = {"global": PROXIED}


def environment(container: Manifest) -> dict[str, str]:
    """Return the variables that are plain text."""
    return {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}


@pytest.mark.parametrize("values", [PROXIED, OF_THE_PARENT], ids=["ours", "a parent's"])
def test_the_proxy_is_in_every_containers_environment(values: dict[str, Any]) -> None:
    """Under both spellings: curl reads the lower one alone, others the upper."""
    for name, pod in pods(rendered(*ALL, *given(values))).items():
        for container in own_containers(pod):
            found = environment(container)
            for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
                assert found[variable] == found[variable.lower()] == PROXY, name
            assert found["NO_PROXY"] == found["no_proxy"], name


def test_what_is_of_the_cluster_is_asked_without_the_proxy() -> None:
    """Every Service, under each form of its name, and every name of a team's own."""
    objects = rendered(*ALL, *given(PROXIED))
    adapter = pods(objects)[f"Deployment/{RELEASE}-adapter"]["spec"]["containers"][0]
    proxies = {"no": environment(adapter)["NO_PROXY"]}
    services = [each["metadata"]["name"] for each in objects if each["kind"] == "Service"]
    called = [name for name in services if not name.endswith(("-pods", "-nodes"))]
    full = [f"{name}.somewhere.svc{end}" for name in services for end in ("", ".cluster.local")]
    assert {f"{RELEASE}-{name}" for name in ("kafka", "mlserver", "mlflow")} <= set(called)
    for host in [*called, *full, "localhost", "127.0.0.1", "git.corp"]:
        assert proxy_bypass_environment(host, proxies), host
    assert not proxy_bypass_environment(EXCHANGE, proxies)
    assert "10.0.0.0/8" in proxies["no"].split(",")


def test_the_ingestor_takes_the_proxy_to_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the chart gives it; to a simulator in the cluster it goes directly."""
    pod = pods(rendered(*ALL, *given(PROXIED)))[f"Deployment/{RELEASE}-ingestor"]
    for name, value in environment(pod["spec"]["containers"][0]).items():
        if name.lower().endswith("_proxy"):
            monkeypatch.setenv(name, value)
    assert proxy_for(f"wss://{EXCHANGE}") == PROXY
    assert proxy_for(f"ws://{RELEASE}-simulator:8765") is None


def test_the_charts_own_proxy_goes_before_a_parents() -> None:
    """Key by key."""
    own = {"proxy": {"https": "http://own.example:1"}, **OF_THE_PARENT}
    pod = pods(rendered(*given(own)))[f"Deployment/{RELEASE}-ingestor"]
    found = environment(pod["spec"]["containers"][0])
    assert found["HTTPS_PROXY"] == "http://own.example:1" and found["HTTP_PROXY"] == PROXY


def test_a_password_of_the_proxy_comes_from_a_secret() -> None:
    """A variable of a team's replaces the one that the proxy made."""
    secret = {"name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "p", "key": "url"}}}
    objects = rendered(*ALL, *given({**PROXIED, "defaults": {"extraEnv": [secret]}}))
    for pod in pods(objects).values():
        for container in own_containers(pod):
            assert [e for e in container["env"] if e["name"] == "HTTPS_PROXY"] == [secret]


@pytest.mark.parametrize(
    ("trust", "source", "path"),
    [
        ({"configMap": "ca"}, {"configMap": {"name": "ca"}}, "/etc/trust/ca.crt"),
        ({"secret": "ca", "key": "b.pem"}, {"secret": {"secretName": "ca"}}, "/etc/trust/b.pem"),
    ],
)
def test_authorities_of_a_company_are_trusted_everywhere(
    trust: dict[str, str], source: Manifest, path: str
) -> None:
    """Mounted into every container, and named by what OpenSSL, Go, requests and curl read."""
    for values in ({"trust": trust}, {"global": {"trust": trust}}):
        objects = rendered(*ALL, *given(values))
        for name, pod in pods(objects).items():
            assert {"name": "trust", **source} in pod["spec"]["volumes"], name
            for container in own_containers(pod):
                found = environment(container)
                for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
                    assert found[variable] == path, name
                mount = {"name": "trust", "mountPath": "/etc/trust", "readOnly": True}
                assert mount in container["volumeMounts"], name
        for thing in objects:
            kubernetes_validate.validate(thing, "1.37", strict=True)


def test_authorities_are_of_one_place() -> None:
    """Which of two would count is nothing to guess."""
    with pytest.raises(Refused, match="expected one of them"):
        rendered(*setting("trust.configMap=a", "trust.secret=b"))


def test_without_a_proxy_and_authorities_nothing_is_set() -> None:
    """Images keep what they bring."""
    for name, pod in pods(rendered(*ALL)).items():
        for container in own_containers(pod):
            found = environment(container)
            assert not [each for each in found if "PROXY" in each.upper() or "CERT" in each], name


def test_names_may_be_asked_at_a_nodes_own_address() -> None:
    """NodeLocal DNSCache listens at an address of the node, which no selector finds."""
    plain = rendered(*ALL)
    objects = rendered(*ALL, *given({"networkPolicy": {"dnsAt": ["169.254.20.10", "fd00::10"]}}))
    blocks = [{"ipBlock": {"cidr": cidr}} for cidr in ("169.254.20.10/32", "fd00::10/128")]
    policies = [thing for thing in objects if thing["kind"] == "NetworkPolicy"]
    for thing in policies:
        kubernetes_validate.validate(thing, "1.37", strict=True)
        for rule in thing["spec"].get("egress", []):
            if {"port": 53, "protocol": "UDP"} in rule["ports"]:
                assert all(block in rule["to"] for block in blocks)
    before = one(plain, "NetworkPolicy", "adapter")["spec"]["egress"][0]["to"]
    assert one(objects, "NetworkPolicy", "adapter")["spec"]["egress"][0]["to"] == before + blocks


@pytest.mark.parametrize(("seconds", "times"), [(600, 150), (601, 151), (3600, 900)])
def test_a_broker_has_as_long_as_a_team_says(seconds: int, times: int) -> None:
    """After a crash it reads its logs again, which takes longer the more there are."""
    pod = pods(rendered(*setting(f"kafka.startupSeconds={seconds}")))
    probe = pod[f"StatefulSet/{RELEASE}-kafka"]["spec"]["containers"][0]["startupProbe"]
    assert probe["failureThreshold"] == times
    assert seconds <= probe["failureThreshold"] * probe["periodSeconds"] < seconds + 4

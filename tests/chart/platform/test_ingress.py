"""Ingresses: what is published, by which name, and what the published have to know of it."""

from pathlib import Path

import kubernetes_validate
import pytest

from tests.chart.platform.notes import notes
from tests.chart.rendering import (
    RELEASE,
    Manifest,
    Refused,
    named,
    one,
    pod_of,
    rendered,
    setting,
    variables,
)

MLFLOW = ("mlflow.enabled=true",)
PUBLISHED = ("adapter", "monitor", "grafana", "mlflow")


def ingress(name: str, **given: str) -> tuple[str, ...]:
    """Return the settings that publish a component by an Ingress."""
    return (
        f"ingress.{name}.enabled=true",
        *(f"ingress.{name}.{key}={value}" for key, value in given.items()),
    )


def environment(component: str, *pairs: str) -> dict[str, str]:
    """Return a component's variables as rendered with these settings."""
    (container,) = pod_of(one(rendered(*setting(*pairs)), "Deployment", component))["containers"]
    return variables(container)


def peers(component: str, *pairs: str) -> list[Manifest]:
    """Return who may use a component's port, as its policy says it, with these settings."""
    policy = one(rendered(*setting(*pairs)), "NetworkPolicy", component)
    return [peer for rule in policy["spec"]["ingress"] for peer in rule.get("from", [])]


def test_nothing_is_published_unasked() -> None:
    """Neither kind is there by default, so that a cluster needs no controller for either."""
    assert {thing["kind"] for thing in rendered()}.isdisjoint({"Ingress", "HTTPRoute"})


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_of_the_four_has_an_ingress_to_its_port(name: str) -> None:
    """Kubernetes knows all its fields, and what it names is there."""
    given = ingress(name, host="vol.example.org", tlsSecret="vol-tls", className="nginx")
    things = rendered(*setting(*given, *MLFLOW))
    found = one(things, "Ingress", name)
    for version in ("1.30", "1.37"):
        kubernetes_validate.validate(found, version, strict=True)
    spec = found["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [{"hosts": ["vol.example.org"], "secretName": "vol-tls"}]
    (rule,) = spec["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("vol.example.org", "/", "Prefix")
    service = path["backend"]["service"]
    assert service == {"name": f"{RELEASE}-{name}", "port": {"name": "http"}}
    assert "http" in [port["name"] for port in named(things, "Service")[name]["spec"]["ports"]]


def test_without_host_class_and_secret_the_cluster_decides() -> None:
    """No field stands there empty: an empty class or host would mean another thing."""
    spec = one(rendered(*setting(*ingress("adapter"))), "Ingress", "adapter")["spec"]
    assert spec.keys() == {"rules"}
    assert spec["rules"][0].keys() == {"http"}


def test_ones_own_class_and_annotations_go_before_those_for_all() -> None:
    """And those for all are on each."""
    things = rendered(
        *setting(
            *ingress("adapter", className="own"),
            *ingress("monitor", host="m.example.org"),
            "ingress.className=all",
            "ingress.annotations.a=all",
            "ingress.annotations.b=all",
            "ingress.adapter.annotations.a=own",
        )
    )
    found = named(things, "Ingress")
    seen = {
        name: (each["spec"]["ingressClassName"], each["metadata"]["annotations"])
        for name, each in found.items()
    }
    assert seen == {
        "adapter": ("own", {"a": "own", "b": "all"}),
        "monitor": ("all", {"a": "all", "b": "all"}),
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (ingress("mlflow", host="m.example.org"), "ingress.mlflow.enabled: found true"),
        ((*ingress("grafana"), "monitoring.mode=none"), "grafana does not"),
        ((*ingress("adapter"), "components.adapter.service=null"), "Service with the port http"),
        (
            (
                *ingress("adapter"),
                "components.adapter.ports.http=null",
                "components.adapter.ports.web=80",
                "components.adapter.metrics=web",
                "components.monitor.connects={kafka}",
                "tests.enabled=false",
                "networkPolicy.enabled=false",
            ),
            "Service with the port http",
        ),
        (ingress("adapter", tlsSecret="vol-tls"), "expected ingress.adapter.host"),
        ((*MLFLOW, *ingress("mlflow")), "expected a name"),
        ((*MLFLOW, *ingress("mlflow", host="m.example.org", path="/m")), "expected /"),
        ((*ingress("adapter"), *ingress("monitor")), "found adapter and monitor at one address"),
        (ingress("adapter", path="predict"), "path"),
        (ingress("adapter", host="https://vol.example.org"), "host"),
        (("ingress.mlserver.enabled=true",), "mlserver"),
    ],
)
def test_what_could_not_work_is_refused_by_name(given: tuple[str, ...], said: str) -> None:
    """A component that does not run, TLS without a host, two at one address; MLServer never."""
    with pytest.raises(Refused, match=said):
        rendered(*setting(*given))


def test_the_gateway_is_let_in_to_what_is_published_only() -> None:
    """`gatewayFrom` opens no other component."""
    peer = "networkPolicy.gatewayFrom[0].namespaceSelector.matchLabels.name=ingress"
    gateway = {"namespaceSelector": {"matchLabels": {"name": "ingress"}}}
    given = (*ingress("monitor", host="m.example.org"), peer)
    assert gateway in peers("monitor", *given)
    assert gateway not in peers("adapter", *given)
    assert gateway not in peers("mlserver", *given)


@pytest.mark.parametrize(
    ("more", "blocked"),
    [
        ((), True),
        (("networkPolicy.gatewayFrom[0].namespaceSelector.matchLabels.name=ingress",), False),
        (("networkPolicy.ingressFrom.monitor[0].podSelector.matchLabels.name=ingress",), False),
        (("networkPolicy.enabled=false",), False),
    ],
)
def test_the_notes_say_where_and_that_a_policy_blocks(
    more: tuple[str, ...], blocked: bool, tmp_path: Path
) -> None:
    """The address, and under it what to set while nobody could reach it."""
    given = ingress("monitor", host="vol.example.org", path="/live", tlsSecret="t")
    said = notes(tmp_path, *setting(*given, *more))
    assert "https://vol.example.org/live by ingress" in said
    assert ("networkPolicy.gatewayFrom names nobody" in said) is blocked


def test_grafana_knows_its_address() -> None:
    """Links and redirects lead to the public address; under a path it serves from there."""
    plain = environment("grafana", *ingress("grafana", host="g.example.org"))
    assert plain["GF_SERVER_ROOT_URL"] == "http://g.example.org/"
    assert "GF_SERVER_SERVE_FROM_SUB_PATH" not in plain
    under = environment(
        "grafana", *ingress("grafana", host="vol.example.org", path="/grafana", tlsSecret="t")
    )
    assert under["GF_SERVER_ROOT_URL"] == "https://vol.example.org/grafana"
    assert under["GF_SERVER_SERVE_FROM_SUB_PATH"] == "true"
    assert not [name for name in environment("grafana") if name.startswith("GF_SERVER")]
    own = "components.grafana.env.GF_SERVER_ROOT_URL=https://other.example.org"
    given = environment("grafana", *ingress("grafana", host="g.example.org"), own)
    assert given["GF_SERVER_ROOT_URL"] == "https://other.example.org"


@pytest.mark.parametrize(
    ("secret", "origins"),
    [
        ("t", "https://m.example.org"),
        ("", "http://m.example.org,https://m.example.org"),
    ],
)
def test_mlflow_takes_its_public_name_and_origin(secret: str, origins: str) -> None:
    """By TLS alone where it is ours; else what stands in front may have it or not."""
    found = environment(
        "mlflow", *MLFLOW, *ingress("mlflow", host="m.example.org", tlsSecret=secret)
    )
    assert "m.example.org" in found["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert found["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == origins
    more = environment("mlflow", *MLFLOW, "mlflow.allowedOrigins={https://m:8443}")
    assert more["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == "https://m:8443"
    assert "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS" not in environment("mlflow", *MLFLOW)


def test_the_adapter_believes_the_proxies_that_are_named() -> None:
    """By number and by network; by default none."""
    found = environment("adapter", "forwarded.hops=2", "forwarded.from={10.244.0.0/16,fd00::/8}")
    assert found["ADAPTER_TRUSTED_PROXY_HOPS"] == "2"
    assert found["ADAPTER_TRUSTED_PROXIES"] == "10.244.0.0/16,fd00::/8"
    assert not [name for name in environment("adapter") if "TRUSTED" in name]
    own = environment(
        "adapter", "forwarded.hops=2", "components.adapter.env.ADAPTER_TRUSTED_PROXY_HOPS=1"
    )
    assert own["ADAPTER_TRUSTED_PROXY_HOPS"] == "1"

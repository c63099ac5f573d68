"""HTTPRoutes of the Gateway API."""

import pytest

from tests.chart.rendering import RELEASE, Refused, named, one, rendered, setting

GATEWAY = ("route.parentRefs[0].name=traefik", "route.parentRefs[0].namespace=traefik")
MLFLOW = ("mlflow.enabled=true",)


def test_a_route_leads_from_the_gateway_to_the_service() -> None:
    """By the number of the port, as a Gateway wants it, and with an answer's time."""
    given = setting(*GATEWAY, "route.adapter.enabled=true", "route.adapter.host=vol.example.org")
    found = one(rendered(*given), "HTTPRoute", "adapter")
    assert found["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert found["spec"] == {
        "parentRefs": [{"name": "traefik", "namespace": "traefik"}],
        "hostnames": ["vol.example.org"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "timeouts": {"request": "30s"},
                "backendRefs": [{"name": f"{RELEASE}-adapter", "port": 8000}],
            }
        ],
    }


def test_a_stream_has_no_time_to_end_by() -> None:
    """Only the adapter's answers are bounded; unsaid, some Gateways would end a stream too."""
    names = ("adapter", "monitor", "grafana", "mlflow")
    pairs = [f"route.{name}.enabled=true" for name in names]
    hosts = [f"route.{name}.host={name}.example.org" for name in names]
    routes = named(rendered(*setting(*GATEWAY, *MLFLOW, *pairs, *hosts)), "HTTPRoute")
    assert routes.keys() == set(names)
    times = {name: each["spec"]["rules"][0]["timeouts"] for name, each in routes.items()}
    assert times.pop("adapter") == {"request": "30s"}
    assert all(each == {"request": "0s"} for each in times.values())


@pytest.mark.parametrize(
    ("path", "strip", "rewritten"),
    [("/live", "true", True), ("/live", "false", False), ("/", "true", False)],
)
def test_a_prefix_is_taken_off_where_asked(path: str, strip: str, rewritten: bool) -> None:
    """`/` has nothing to take off, and a path of the component's own stays."""
    given = (
        "route.monitor.enabled=true",
        f"route.monitor.path={path}",
        f"route.monitor.stripPrefix={strip}",
    )
    (rule,) = one(rendered(*setting(*GATEWAY, *given)), "HTTPRoute", "monitor")["spec"]["rules"]
    filters = [
        {
            "type": "URLRewrite",
            "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
        }
    ]
    assert rule.get("filters", []) == (filters if rewritten else [])


def test_times_can_be_left_to_the_gateway() -> None:
    """An empty value takes the field away."""
    given = setting(*GATEWAY, "route.adapter.enabled=true", "route.adapter.timeouts.request=null")
    (rule,) = one(rendered(*given), "HTTPRoute", "adapter")["spec"]["rules"]
    assert "timeouts" not in rule


def test_ones_own_gateway_goes_before_that_for_all() -> None:
    """Each may hang on a Gateway of its own."""
    given = setting(
        *GATEWAY,
        "route.adapter.enabled=true",
        "route.adapter.parentRefs[0].name=public",
        "route.adapter.parentRefs[0].sectionName=https",
    )
    spec = one(rendered(*given), "HTTPRoute", "adapter")["spec"]
    assert spec["parentRefs"] == [{"name": "public", "sectionName": "https"}]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("route.adapter.enabled=true",), "expected route.parentRefs"),
        ((*GATEWAY, "route.mlflow.enabled=true", "route.mlflow.host=m.org"), "mlflow does not"),
        (
            (*GATEWAY, "route.adapter.enabled=true", "route.monitor.enabled=true"),
            "found adapter and monitor at one address",
        ),
        ((*GATEWAY, "route.adapter.timeouts.request=soon"), "request"),
        (("route.parentRefs[0].gateway=traefik",), "gateway"),
    ],
)
def test_what_could_not_work_is_refused_by_name(given: tuple[str, ...], said: str) -> None:
    """A route without a Gateway, to what does not run, or to two at one address."""
    with pytest.raises(Refused, match=said):
        rendered(*setting(*given))

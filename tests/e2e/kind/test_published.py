"""Adapter and page published by an Ingress and an HTTPRoute of a controller that is in the cluster.

The controller is Traefik, in the namespace `traefik` with Gateway and class of that name, on the
node port below; without its Gateway API in the cluster this is skipped.
"""

import json
import urllib.error
import urllib.request
from functools import partial
from typing import Final

import pytest

from tests.e2e.kind.drill import MODELS, SCORE_TOLERANCE, Drill, until
from tests.e2e.models import Model, golden_row
from tests.e2e.stack import Answer, json_of

NODE_PORT: Final = 30080
BY_ROUTE, BY_INGRESS, INVENTED = "route.drill.example", "ingress.drill.example", "6.6.6.6"
GATEWAY: Final = {"name": "traefik", "namespace": "traefik"}
VALUES: Final = {
    "ingress": {"className": "traefik", "adapter": {"enabled": True, "host": BY_INGRESS}},
    "route": {
        "parentRefs": [GATEWAY],
        "adapter": {"enabled": True, "host": BY_ROUTE},
        "monitor": {"enabled": True, "host": BY_ROUTE, "path": "/live", "stripPrefix": True},
    },
    "forwarded": {"hops": 1},
    "networkPolicy": {
        "gatewayFrom": [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}}
        ]
    },
}


@pytest.fixture
def gateway(drill: Drill) -> str:
    """Return the address of the controller on a node."""
    kinds = drill.cluster.kubectl("api-resources", "--output", "name")
    if "httproutes.gateway.networking.k8s.io" not in kinds.split():
        pytest.skip("found no Gateway API in the cluster, expected a controller, as Traefik")
    nodes = drill.cluster.get("nodes")["items"]
    addresses = {each["type"]: each["address"] for each in nodes[0]["status"]["addresses"]}
    return f"http://{addresses['InternalIP']}:{NODE_PORT}"


def asked(url: str, host: str, body: bytes | None = None, **headers: str) -> Answer:
    """Return status and JSON of an answer to a request of a public name; 0 where none came."""
    given = {"Host": host, "Content-Type": "application/json", **headers}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, given), timeout=10
        ) as response:
            return response.status, json_of(response.read())
    except urllib.error.HTTPError as exc:
        return exc.code, json_of(exc.read())
    except OSError as exc:
        return 0, repr(exc)


def test_it_is_published(drill: Drill, gateway: str) -> None:
    """After an upgrade the controller leads to the pods, and no request has failed."""
    drill.start_load()
    with drill.report.step("helm upgrade: an Ingress and two HTTPRoutes", 2):
        drill.cluster.upgrade(VALUES)
        for host in (BY_ROUTE, BY_INGRESS):
            until(lambda: asked(f"{gateway}/health", host)[0] == 200)  # noqa: B023


@pytest.mark.parametrize("host", [BY_ROUTE, BY_INGRESS])
def test_predict_answers_by_the_public_name(
    drill: Drill, gateway: str, host: str, first: Model
) -> None:
    """Its score is the golden one, and no other name leads there."""
    rows = json.dumps({"rows": [golden_row(MODELS)]}).encode()
    status, body = asked(f"{gateway}/predict", host, rows)
    assert status == 200, body
    assert body["scores"][0] == pytest.approx(first.score, abs=SCORE_TOLERANCE)
    assert asked(f"{gateway}/predict", "other.drill.example", rows)[0] == 404


def test_the_page_is_under_its_prefix(gateway: str) -> None:
    """The route takes the prefix off; page and data are found under it."""
    ask = partial(asked, host=BY_ROUTE)
    assert ask(f"{gateway}/live/readyz")[0] == 200
    status, page = ask(f"{gateway}/live/")
    assert status == 200 and "<html" in page
    assert ask(f"{gateway}/live/predictions?product=BTC-USD&limit=1")[0] == 200


def test_an_invented_address_is_not_the_clients(drill: Drill, gateway: str) -> None:
    """The adapter counts by the address that the controller saw, whatever the client sent."""
    rows = json.dumps({"rows": [golden_row(MODELS)]}).encode()
    name = "published-1"
    status, _ = asked(
        f"{gateway}/predict",
        BY_ROUTE,
        rows,
        **{"X-Forwarded-For": INVENTED, "X-Request-ID": name},
    )
    assert status == 200
    (line,) = until(partial(lines_of, drill, name))
    assert line["client"].startswith("address:") and INVENTED not in line["client"]


def lines_of(drill: Drill, request_id: str) -> list[dict[str, str]]:
    """Return the adapters' log lines of a request."""
    found = []
    for pod in drill.cluster.pods("adapter"):
        log = drill.cluster.kubectl("logs", pod.name, "--container", "adapter", "--tail", "2000")
        found += [json.loads(text) for text in log.splitlines() if f'"{request_id}"' in text]
    return found

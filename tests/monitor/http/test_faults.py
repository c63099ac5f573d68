"""What the page asks of the demo's simulator, passed on by the monitor."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import ValidationError

from monitor.config import Settings
from monitor.http.api import create_app
from tests.monitor.http.test_api import Service, get
from tests.simulator.test_server import running

MUTE = '{"kind": "mute", "seconds": 60}'


def asked(*requests: tuple[str, str, dict[str, str]]) -> list[tuple[int, Any]]:
    """Ask a monitor in front of a simulator: method, body and headers of each request."""

    async def talk() -> list[tuple[int, Any]]:
        async with running(faults=True) as (_, admin):
            service = Service(faults_url=f"http://127.0.0.1:{admin.port}/faults")
            app = create_app(service.around)
            async with TestClient(TestServer(app)) as client:
                found = []
                for method, body, headers in requests:
                    own = str(client.make_url("")).rstrip("/")
                    sent = {"Content-Type": "application/json"} | headers
                    sent = {name: value.replace("OWN", own) for name, value in sent.items()}
                    async with client.request(method, "/faults", data=body, headers=sent) as answer:
                        told = await answer.json(content_type=None) if answer.status != 204 else {}
                        found.append((answer.status, told))
                return found

    return asyncio.run(talk())


def test_one_begins_stands_and_ends() -> None:
    """By a request of the page's own origin, or of none, such as curl's."""
    page = {"Origin": "OWN", "Sec-Fetch-Site": "same-origin"}
    begun, standing, ended, after, refused = asked(
        ("POST", MUTE, page),
        ("GET", "", {}),
        ("DELETE", "", page),
        ("GET", "", {}),
        ("POST", '{"kind": "no"}', {}),
    )
    assert begun[0] == 202 and standing[1]["faults"][0]["kind"] == "mute"
    assert ended[0] == 204 and after[1] == {"faults": []}
    assert refused[0] == 422 and "clock, crash, delist, drop" in refused[1]["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_begins_none(headers: dict[str, str]) -> None:
    """Nor does it end one."""
    refused, ended, after = asked(("POST", MUTE, headers), ("DELETE", "", headers), ("GET", "", {}))
    assert (refused[0], ended[0], after[1]) == (403, 403, {"faults": []})
    assert "expected one of http://127.0.0.1" in refused[1]["detail"]


def test_what_is_no_json_is_refused() -> None:
    """A form can be sent without being asked for."""
    [found] = asked(("POST", MUTE, {"Content-Type": "text/plain"}))
    assert found[0] == 415


def test_there_is_none_where_none_is_named() -> None:
    """As under compose and in the chart; the page is told by health."""
    service = Service()
    assert get(service, "/faults")[0] == 404
    assert get(service, "/health")[1]["faults"] is False


def test_compose_and_the_chart_have_none() -> None:
    """Neither the simulator's side nor the monitor's is switched on."""
    root = Path(__file__).resolve().parents[3]
    files = [
        *root.glob("docker-compose*.yml"),
        *(root / "env").glob("*.env"),
        *(root / "charts/crypto-volatility").glob("values*.yaml"),
        *(root / "manifests/rendered").glob("*.yaml"),
    ]
    assert len(files) > 15
    for path in files:
        assert not re.search(r"(SIMULATOR_FAULTS|MONITOR_FAULTS_URL)", path.read_text()), path


def test_a_simulator_that_is_away_is_said_so() -> None:
    """Its address is named."""
    status, body, _ = get(Service(faults_url="http://127.0.0.1:9/faults"), "/faults")
    assert status == 503 and "no answer from http://127.0.0.1:9/faults" in body["detail"]


def test_it_stands_on_loopback_alone() -> None:
    """A monitor that others reach has none."""
    with pytest.raises(ValidationError, match=r"host 0\.0\.0\.0, expected a loopback"):
        Settings(host="0.0.0.0", faults_url="http://127.0.0.1:8766/faults")
    for host in ("127.0.0.1", "::1", "localhost"):
        assert Settings(host=host, faults_url="http://x/faults").faults_url

"""Who may look at the page and the routes."""

from base64 import b64encode
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from monitor.config import Settings
from monitor.http.access import CHALLENGE, OPEN, warn_if_open
from monitor.http.api import create_app
from tests.monitor.http.test_api import Client, Service, ask

KEYS = {"api_keys": "ann:secret-a,bob:secret-b"}
CLOSED = [
    "/",
    "/page/main.js",
    "/predictions",
    "/predictions/latest",
    "/predictions/stream",
    "/signals",
    "/signals/now",
    "/signals/record",
    "/signals/stream",
    "/signals/history?product=BTC-USD",
    "/drift",
    "/nowhere",
]


def basic(password: str, user: str = "anybody") -> str:
    """What a browser sends once it was told a password."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def status(
    service: Service, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Status and challenge of the answer."""

    async def once(client: Client) -> tuple[int, str]:
        async with client.get(path, headers=headers) as answer:
            return answer.status, answer.headers.get("WWW-Authenticate", "")

    found: tuple[int, str] = ask(service, once)
    return found


@pytest.mark.parametrize("path", CLOSED)
def test_without_a_key_every_route_is_closed(path: str) -> None:
    """A browser is told to ask for it; nothing is said of what there is."""
    assert status(Service(**KEYS), path) == (401, CHALLENGE)


@pytest.mark.parametrize("path", sorted(OPEN))
def test_probes_and_metrics_stay_open(path: str) -> None:
    """They come without a key."""
    assert status(Service(**KEYS, user_header="X-User"), path)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "secret-a"},
        {"Authorization": "Bearer secret-b"},
        {"Authorization": basic("secret-b")},
        {"Authorization": basic("secret-a", "").replace("Basic", "basic")},
    ],
)
def test_a_known_key_is_let_in(headers: dict[str, str]) -> None:
    """In each form."""
    assert status(Service(**KEYS), "/", headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "secret"},
        {"X-API-Key": ""},
        {"Authorization": basic("")},
        {"Authorization": basic("ann:secret-a")},
        {"Authorization": "Basic secret-a"},
        {"Authorization": "Basic " + b64encode(b"secret-a").decode()},
        {"Authorization": "Basic " + b64encode(b"\xff:\xff").decode()},
        {"X-Forwarded-User": "ann"},
    ],
)
def test_an_unknown_key_is_not(headers: dict[str, str]) -> None:
    """Nor a header that nobody said is to be believed."""
    assert status(Service(**KEYS), "/", headers)[0] == 401


def test_the_user_that_a_proxy_names_is_let_in() -> None:
    """By that header alone; an empty one names nobody, and a key is none where there are none."""
    service = Service(user_header="X-Forwarded-User")
    answers = [
        status(service, "/", headers)[0]
        for headers in ({"X-Forwarded-User": "ann"}, {"X-Forwarded-User": " "}, {"X-API-Key": "k"})
    ]
    assert answers == [200, 401, 401]


def test_with_both_either_is_enough() -> None:
    """A person through the proxy, a script by its key."""
    service = Service(**KEYS, user_header="X-User")
    for headers in ({"X-User": "ann"}, {"X-API-Key": "secret-a"}):
        assert status(service, "/", headers)[0] == 200
    assert status(service, "/")[0] == 401


def test_without_settings_anybody_may_look() -> None:
    """As on loopback."""
    assert status(Service(), "/")[0] == 200


def test_keys_that_cannot_be_read_end_the_start_and_are_not_shown() -> None:
    """As the adapter's."""
    with pytest.raises(ValueError, match="expected") as error:
        create_app(Service(api_keys="s3cret").around)
    assert "s3cret" not in str(error.value)
    assert "secret-a" not in repr(Settings(**KEYS))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"host": "0.0.0.0"}, 1),
        ({"host": "127.0.0.1"}, 0),
        ({"host": "0.0.0.0", **KEYS}, 0),
        ({"host": "0.0.0.0", "user_header": "X-User"}, 0),
    ],
)
def test_an_open_monitor_says_so(settings: dict[str, str], told: int) -> None:
    """Where others than this machine reach it and nothing is asked for."""
    with capture_logs() as logs:
        warn_if_open(Settings(**settings))
    assert [log["event"] for log in logs] == ["monitor.open"] * told

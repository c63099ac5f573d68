"""By which proxy the feed is reached."""

import pytest
from requests.utils import get_environ_proxies

from plumbing.proxies import SocksProxy, proxy_for, spare

LIVE = "wss://advanced-trade-ws.coinbase.com"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without any."""
    for name in ("http", "https", "all", "ws", "wss", "no", "socks"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:8765",
        "ws://localhost:8765",
        "ws://simulator:8765",
        "ws://[::1]:8765",
        "ws://simulator.desk.svc:8765",
        "ws://simulator.desk.svc.cluster.local:8765",
        "ws://host.docker.internal:8765",
    ],
)
def test_what_is_beside_us_needs_no_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment names for the world outside."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "socks5://proxy.example:1080")
    assert proxy_for(url) is None


def test_the_exchange_is_reached_by_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But where NO_PROXY says otherwise."""
    assert proxy_for(LIVE) is None
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert proxy_for(LIVE) == "http://proxy.example:3128"
    monkeypatch.setenv("no_proxy", ".coinbase.com")
    assert proxy_for(LIVE) is None


@pytest.mark.parametrize("name", ["https_proxy", "all_proxy", "socks_proxy"])
def test_a_socks_proxy_is_refused_in_one_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what was found, and what to do."""
    monkeypatch.setenv(name, "socks5h://proxy.example:1080")
    with pytest.raises(SocksProxy, match="expected an HTTP proxy for advanced-trade-ws"):
        proxy_for(LIVE)


@pytest.mark.parametrize(
    "url",
    ["http://mlflow:5000", "http://127.0.0.1:5000", "http://otel.desk.svc.cluster.local:4318/v1"],
)
def test_libraries_ask_what_is_beside_us_directly(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's client and the exporter of spans take the proxies that requests finds."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "desk.example")
    monkeypatch.setenv("NO_PROXY", "")
    assert get_environ_proxies(url)
    spare(url)
    spare(url)
    assert not get_environ_proxies(url)
    assert not get_environ_proxies("http://desk.example")


def test_others_are_reached_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server elsewhere, or a file, changes nothing."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    for url in ("http://mlflow.example:5000", "sqlite:///mlflow.db"):
        spare(url)
    assert get_environ_proxies("http://mlflow.example:5000")

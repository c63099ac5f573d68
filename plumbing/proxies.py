"""Which proxy of the environment leads to a WebSocket."""

from typing import Final
from urllib.request import getproxies, proxy_bypass

from websockets.proxy import get_proxy
from websockets.uri import parse_uri

BESIDE_US: Final = (".svc", ".local", ".internal")
"""Ends of names that lead to a service of the same cluster or machine."""


class SocksProxy(Exception):
    """The environment names a proxy of a kind that cannot be used."""


def proxy_for(url: str) -> str | None:
    """Return the proxy by which an address is reached; services beside us need none.

    Raises:
        SocksProxy: the environment names a SOCKS proxy.
    """
    uri = parse_uri(url)
    beside_us = "." not in uri.host or uri.host.startswith("127.") or uri.host.endswith(BESIDE_US)
    proxy = None if beside_us else get_proxy(uri) or _for_all(uri.host)
    if proxy is not None and proxy.startswith("socks"):
        raise SocksProxy(
            "found a SOCKS proxy in the environment (ALL_PROXY, HTTPS_PROXY), expected an HTTP"
            f" proxy for {uri.host}, or that host in NO_PROXY"
        )
    return proxy


def _for_all(host: str) -> str | None:
    """Return what ``ALL_PROXY`` names, which websockets does not look at."""
    return None if proxy_bypass(host) else getproxies().get("all")

"""Which proxy of the environment leads to an address: none to a service beside us."""

import os
from typing import Final
from urllib.parse import urlsplit
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
    proxy = None if _beside_us(uri.host) else get_proxy(uri) or _for_all(uri.host)
    if proxy is not None and proxy.startswith("socks"):
        raise SocksProxy(
            "found a SOCKS proxy in the environment (ALL_PROXY, HTTPS_PROXY), expected an HTTP"
            f" proxy for {uri.host}, or that host in NO_PROXY"
        )
    return proxy


def spare(url: str) -> None:
    """Have libraries that look at the environment themselves ask a service beside us directly.

    Its host is added to ``NO_PROXY``, under both spellings, for what is asked from now on.
    """
    host = urlsplit(url).hostname
    if host is None or not _beside_us(host):
        return
    for name in ("no_proxy", "NO_PROXY"):
        spared = [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]
        if host not in spared:
            os.environ[name] = ",".join([*spared, host])


def _beside_us(host: str) -> bool:
    return "." not in host or host.startswith("127.") or host.endswith(BESIDE_US)


def _for_all(host: str) -> str | None:
    """Return what ``ALL_PROXY`` names, which websockets does not look at."""
    return None if proxy_bypass(host) else getproxies().get("all")

"""Who a client is: its API key where keys are on, else its address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

PROBER: Final = "prober"

Network = IPv4Network | IPv6Network


class Unauthorized(Exception):
    """Keys are on and the request brings none that is known."""


@dataclass(frozen=True, slots=True)
class ClientRegistry:
    """Tells clients apart.

    ``keys`` maps key to name. ``required``: who brings no known key is turned away.
    ``proxy_hops`` is how many proxies of our own stand in front, each of which appends the
    address it saw to ``X-Forwarded-For``; what stands further left the client may have invented.
    ``proxies`` are the networks that they are in: of whoever connects from elsewhere the header is
    not believed at all. Without any, all who connect count as our proxies.
    """

    keys: Mapping[str, str]
    required: bool
    proxy_hops: int = 0
    proxies: tuple[Network, ...] = ()

    def name(self, brought: str | None, forwarded: str, peer: str) -> str:
        """Return the name under which a request is counted: ``key:NAME`` or ``address:ADDRESS``.

        ``brought`` is the key that came, ``forwarded`` all of ``X-Forwarded-For``, ``peer``
        the address of the connection.

        Raises:
            Unauthorized: keys are on and none known was brought.
        """
        name = None if brought is None else self._named(brought)
        if name is not None:
            return f"key:{name}"
        if self.required:
            found = "none" if brought is None else "one that is not known"
            raise Unauthorized(
                f"found {found}, expected an API key in X-API-Key or Authorization: Bearer"
            )
        return f"address:{self._address(forwarded, peer)}"

    def _named(self, brought: str) -> str | None:
        """Find the key's name in a time that tells nothing about the keys."""
        found = None
        for key, name in self.keys.items():
            if compare_digest(key.encode(), brought.encode(errors="replace")):
                found = name
        return found

    def _address(self, forwarded: str, peer: str) -> str:
        if not self._ours(peer):
            return normal(peer)
        seen = [part.strip() for part in forwarded.split(",") if part.strip()] + [peer]
        return normal(seen[max(0, len(seen) - 1 - self.proxy_hops)])

    def _ours(self, peer: str) -> bool:
        """Whether who connects may be a proxy of our own."""
        if not self.proxies:
            return True
        found = _parsed(peer)
        return found is not None and any(found in network for network in self.proxies)


def normal(address: str) -> str:
    """Return one form for all spellings of a client's address.

    Proxies add ports and brackets, sockets map IPv4 into IPv6, and who has one IPv6 address has
    its /64. What is no address stays as it is.

    >>> normal("203.0.113.9:50123"), normal("[2001:DB8::1]:443"), normal("::ffff:203.0.113.9")
    ('203.0.113.9', '2001:db8::/64', '203.0.113.9')
    """
    found = _parsed(address)
    if found is None:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(ip_network((found, 64), strict=False))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Read an address without port, brackets and zone; one of IPv4 in IPv6 is that of IPv4."""
    text = address.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def networks_of(text: str) -> tuple[Network, ...]:
    """Read networks and addresses, separated by commas.

    >>> networks_of("10.244.0.0/16, fd00::/8, 192.0.2.9")[2]
    IPv4Network('192.0.2.9/32')

    Raises:
        ValueError: an entry is no network, or has bits of a host.
    """
    return tuple(ip_network(entry.strip()) for entry in text.split(",") if entry.strip())


def clients_of(
    api_keys: str, prober_key: str, proxy_hops: int, proxies: str = ""
) -> ClientRegistry:
    """Read ``name:key,name:key``; keys are required if there is at least one.

    The prober's key is known in any case and gives it a count of its own.

    Raises:
        ValueError: an entry has no name or key, or a key stands twice (keys are not shown), or
            ``proxies`` cannot be read.
    """
    entries = [entry.strip() for entry in api_keys.split(",") if entry.strip()]
    pairs = [_pair(number, entry) for number, entry in enumerate(entries, start=1)]
    required = bool(pairs)
    if prober_key:
        pairs.append((PROBER, prober_key))
    _check_unique([key for _, key in pairs])
    names = {key: name for name, key in pairs}
    return ClientRegistry(names, required, proxy_hops, networks_of(proxies))


def _pair(number: int, entry: str) -> tuple[str, str]:
    name, _, key = entry.partition(":")
    if not name or not key:
        raise ValueError(f"API keys: entry {number} is not as expected, name:key")
    return name, key


def _check_unique(keys: Sequence[str]) -> None:
    if len(set(keys)) != len(keys):
        raise ValueError("found an API key twice, expected a key of its own for every client")


def brought_key(api_key: str | None, authorization: str | None) -> str | None:
    """Return the key of the headers ``X-API-Key`` or ``Authorization: Bearer``, if there is one."""
    if api_key is not None:
        return api_key
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None

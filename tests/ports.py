"""Ports on 127.0.0.1 that nobody else takes while the tests run; and whether there is IPv6."""

import socket

import pytest

IPV6 = pytest.mark.skipif(
    not socket.has_dualstack_ipv6(), reason="found no IPv6 on this machine, expected ::1"
)

_held: list[socket.socket] = []


def held_port() -> int:
    """Return a port that is refused until a server of ours, which sets SO_REUSEADDR, listens on it.

    A port that is given back may be another's by the time a server binds it; here a socket that
    never listens keeps it until the tests end.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    _held.append(held)
    return int(held.getsockname()[1])

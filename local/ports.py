"""Ports on 127.0.0.1 that nobody listens on."""

import socket
from collections.abc import Collection
from typing import Final

FURTHEST: Final = 200


def is_free(port: int) -> bool:
    """True if one can listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int = 0, avoid: Collection[int] = ()) -> int:
    """Return the preferred port or the next free one above it; any free one for 0.

    Raises:
        OSError: no free one among the next 200.
    """
    if not preferred:
        return _any(avoid)
    for port in range(preferred, min(preferred + FURTHEST, 65_536)):
        if port not in avoid and is_free(port):
            return port
    raise OSError(f"no free port from {preferred} to {preferred + FURTHEST - 1}")


def _any(avoid: Collection[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port

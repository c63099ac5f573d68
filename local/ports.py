"""Ports on 127.0.0.1 that nobody listens on, kept from other demos for as long as we run."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

FURTHEST: Final = 200
LOCKS: Final = Path(tempfile.gettempdir()) / f"crypto-volatility-ports-{os.getuid()}"
"""A lock for each port in use: between choosing one and listening on it, others could take it."""

_kept: dict[int, int] = {}


def is_free(port: int) -> bool:
    """True if one can listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def keep(port: int) -> bool:
    """Keep a port from others who ask here, until this process ends; false if they have it."""
    if port in _kept:
        return True
    LOCKS.mkdir(mode=0o700, exist_ok=True)
    file = os.open(LOCKS / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    _kept[port] = file
    return True


def free_port(preferred: int = 0, avoid: Collection[int] = ()) -> int:
    """Return the preferred port or the next free one above it, kept; any free one for 0.

    Raises:
        OSError: no free one among the next 200.
    """
    if not preferred:
        return _any(avoid)
    for port in range(preferred, min(preferred + FURTHEST, 65_536)):
        if port not in avoid and is_free(port) and keep(port):
            return port
    raise OSError(f"no free port from {preferred} to {preferred + FURTHEST - 1}")


def _any(avoid: Collection[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in avoid and keep(port):
            return port

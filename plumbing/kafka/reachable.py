"""Which host it is that does not answer, and whether the broker's own words lead there."""

import socket
from typing import Final

from kafka import KafkaAdminClient  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from plumbing.kafka.opening import opened
from plumbing.settings import KafkaSettings

CONNECT_SECONDS: Final = 1.0
BOOTSTRAP_MS: Final = 3_000


def trouble_of(settings: KafkaSettings) -> str:
    """Return which broker cannot be reached, and why; "" where all of them can."""
    named = settings.bootstrap_servers.split(",")
    failed = {address: why for address in named if (why := _why_not(address))}
    if len(failed) == len(named):
        return "; ".join(f"{address}: {why}" for address, why in failed.items())
    away = {address: why for address in _advertised(settings) if (why := _why_not(address))}
    if not away:
        return ""
    found = "; ".join(f"{address}: {why}" for address, why in away.items())
    return (
        f"{named[0]} answers, and names brokers that cannot be reached from here ({found}):"
        " see advertised.listeners of the broker"
    )


def _why_not(address: str) -> str:
    host, _, port = address.strip().rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError) as exc:
        return f"{type(exc).__name__}: {exc}"
    return ""


def _advertised(settings: KafkaSettings) -> list[str]:
    """Return what the brokers say of themselves; none where that cannot be known."""
    try:
        client = {**settings.client(), "bootstrap_timeout_ms": BOOTSTRAP_MS}
        admin = opened(KafkaAdminClient, **client)
    except (KafkaError, OSError):
        return []
    try:
        return [f"{each.host}:{each.port}" for each in admin._manager.cluster.brokers()]
    finally:
        admin.close()

"""The form of Standard Webhooks (https://www.standardwebhooks.com): keys, ids and signatures."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

PREFIX: Final = "whsec_"
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64


def key_of(secret: str) -> bytes:
    """Return the key that a secret holds: ``whsec_`` and 24 to 64 bytes in base64.

    Raises:
        ValueError: it is none; says what was expected, and nothing of what was found but its size.
    """
    expected = f"expected {PREFIX} and {LEAST_BYTES} to {MOST_BYTES} bytes in base64"
    if not secret.startswith(PREFIX):
        raise ValueError(f"found one that does not begin with {PREFIX}, {expected}")
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except Error as exc:
        raise ValueError(f"found one that is no base64, {expected}") from exc
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"found one of {len(key)} bytes, {expected}")
    return key


def check_address(url: str) -> None:
    """Raise ``ValueError`` for what is no address of HTTP."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"found one of the scheme {parts.scheme!r}, expected https://host/…")


def message_id(names: Iterable[str]) -> str:
    """Make the id from what is told, so that a repeat of it has the same one."""
    return "msg_" + hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:32]


def headers(name: str, seconds: int, body: bytes, key: bytes) -> dict[str, str]:
    """Return the headers of an attempt at a wall clock, with the signature of all three."""
    signed = f"{name}.{seconds}.".encode() + body
    signature = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{signature}",
    }

"""Errors as they are told: ``application/problem+json`` (RFC 9457)."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

KIND: Final = "application/problem+json"


def content(status: int, title: str, detail: str, **more: Any) -> bytes:
    """Return the body of an error.

    >>> content(404, "Not Found", "found no such page")
    b'{"type":"about:blank","title":"Not Found","status":404,"detail":"found no such page"}'
    """
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return msgspec.json.encode(body | more)


def problem(
    request_id: str,
    path: str,
    status: int,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return an ``application/problem+json`` (RFC 9457); V2 clients also find their ``error``."""
    told = {"request_id": request_id} | more
    if path.startswith("/v2"):
        told["error"] = detail
    return Response(
        content(status, title, detail, **told), status, headers=headers, media_type=KIND
    )

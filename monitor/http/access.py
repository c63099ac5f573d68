"""Who may look: a client with a known key, or whom a proxy in front has let through."""

from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from monitor.config import Settings, is_loopback
from monitor.http.requests import RequestProblem
from plumbing.clients import ClientRegistry, Unauthorized, brought_key
from plumbing.logs import get_logger

OPEN: Final = frozenset({"/health", "/healthz", "/readyz", "/metrics"})
"""What probes and Prometheus ask for."""
CHALLENGE: Final = 'Basic realm="monitor", charset="UTF-8"'
"""A browser asks for the key once, then sends it with the page's own requests and its stream."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Access:
    """Lets in by key, or by the header in which a proxy names the user that it knows."""

    clients: ClientRegistry
    user_header: str = ""

    @property
    def required(self) -> bool:
        """Say whether anybody is turned away."""
        return self.clients.required or bool(self.user_header)

    def check(self, request: web.Request) -> None:
        """Refuse a request of nobody that is known; raises ``RequestProblem``."""
        if not self.required or request.path in OPEN or self._let_through(request):
            return
        headers = request.headers
        authorization = headers.get("Authorization")
        brought = brought_key(headers.get("X-API-Key"), authorization) or password_of(authorization)
        try:
            self.clients.name(brought, "", request.remote or "")
        except Unauthorized as exc:
            raise _refused(f"{exc}, or as the password of Basic") from exc
        if not self.clients.required:
            raise _refused(f"found no {self.user_header}, expected it of the proxy in front")

    def _let_through(self, request: web.Request) -> bool:
        return bool(self.user_header and request.headers.get(self.user_header, "").strip())

    def middleware(self) -> Middleware:
        """Return what checks each request before its route."""

        @web.middleware
        async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.check(request)
            return await handler(request)

        return checked


def access_of(settings: Settings) -> Access:
    """Return who may look."""
    return Access(settings.clients(), settings.user_header)


def warn_if_open(settings: Settings) -> None:
    """Say so where others than this machine may look without being known."""
    if not (access_of(settings).required or is_loopback(settings.host)):
        wanted = "MONITOR_API_KEYS or MONITOR_USER_HEADER"
        get_logger().warning("monitor.open", host=settings.host, expected=wanted)


def password_of(authorization: str | None) -> str | None:
    """Return the password of ``Authorization: Basic``, whoever the user is (RFC 7617).

    >>> password_of("Basic YW5uOnMzOmNyZXQ="), password_of("Basic ?"), password_of(None)
    ('s3:cret', None, None)
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = b64decode(token.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return password if colon else None


def _refused(detail: str) -> RequestProblem:
    return RequestProblem(401, "Unauthorized", detail)

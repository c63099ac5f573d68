"""``/faults`` of the monitor: what the page asks of the demo's simulator, passed on.

It exists only where ``MONITOR_FAULTS_URL`` names the simulator, and on loopback alone.
"""

from typing import Final

import aiohttp
from aiohttp import web

from monitor.http.requests import RequestProblem

TIMEOUT_SECONDS: Final = 5.0


class FaultRoutes:
    """Passes requests on to the ``/faults`` of a simulator at an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application."""
        for method in ("GET", "POST", "DELETE"):
            app.router.add_route(method, "/faults", self.pass_on)

    async def pass_on(self, request: web.Request) -> web.Response:
        """Return the simulator's answer; raises ``RequestProblem`` for another origin."""
        if request.method != "GET":
            _same_origin(request)
        kind = {"Content-Type": request.content_type}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    request.method, self._url, data=await request.read(), headers=kind
                ) as answer,
            ):
                body, kind = await answer.read(), {"Content-Type": answer.content_type}
                return web.Response(status=answer.status, body=body, headers=kind)
        except (aiohttp.ClientError, TimeoutError) as exc:
            detail = f"no answer from {self._url}: {exc!r}, expected the demo's simulator"
            raise RequestProblem(503, "No simulator", detail) from exc


def _same_origin(request: web.Request) -> None:
    """Refuse what a page of another origin sends: browsers say whose it is."""
    origin, own = request.headers.get("Origin"), f"{request.scheme}://{request.host}"
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if origin not in (None, own) or site not in ("same-origin", "none"):
        detail = f"found a request of {origin or site}, expected one of {own}"
        raise RequestProblem(403, "Another origin", detail)

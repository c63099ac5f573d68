"""The page at ``/``: its files, sent as they are in the package."""

from typing import Final

from aiohttp import web

from monitor.page.assets import page_assets

INDEX: Final = "index.html"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # to be asked for again, and answered by a 304 where unchanged
}
"""Nothing from another origin, nothing inline, no guess at a type."""


class PageRoutes:
    """Answers with the page and its files; reads them once."""

    def __init__(self) -> None:
        self._assets = page_assets()

    def add_to(self, app: web.Application) -> None:
        """Add the routes; addresses in the page are relative to ``/``, whatever stands before."""
        app.router.add_get("/", self.index)
        app.router.add_get("/page/{path:.+}", self.file)

    async def index(self, request: web.Request) -> web.Response:
        """Return the page."""
        return self._answer(request, INDEX)

    async def file(self, request: web.Request) -> web.Response:
        """Return a file of the page; 404 for any other path."""
        return self._answer(request, request.match_info["path"])

    def _answer(self, request: web.Request, path: str) -> web.Response:
        asset = self._assets.get(path)
        if asset is None:
            raise web.HTTPNotFound()
        headers = {**HEADERS, "ETag": asset.etag}
        if asset.is_held(request.headers.get("If-None-Match", "")):
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=asset.body, content_type=asset.kind, charset="utf-8", headers=headers
        )

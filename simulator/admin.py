"""The simulator's admin interface: ``/status``, ``/healthz``, ``/readyz``, ``/metrics``."""

from aiohttp import web

from plumbing.exposition import exposition
from simulator.metrics import Metrics
from simulator.server import Exchange


class Admin:
    """Answers over HTTP as long as it is open."""

    def __init__(self, exchange: Exchange, metrics: Metrics, host: str, port: int) -> None:
        self._exchange, self._metrics = exchange, metrics
        self._host, self.port = host, port
        app = web.Application()
        app.router.add_get("/status", self._status)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._exposition)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def open(self) -> None:
        """Listen; ``port`` is the bound one from here on."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(self._exchange.status())

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _ready(self, _: web.Request) -> web.Response:
        listening = self._exchange.port > 0
        return web.json_response({"ready": listening}, status=200 if listening else 503)

    async def _exposition(self, request: web.Request) -> web.Response:
        kind, body = exposition(self._metrics.registry, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": kind})

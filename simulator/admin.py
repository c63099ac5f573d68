"""The simulator's admin interface: ``/status``, ``/healthz``, ``/readyz``, ``/metrics``.

And where faults are allowed ``/faults``: POST one as JSON, GET those in force, DELETE them.
"""

from typing import Any

import msgspec
from aiohttp import web

from plumbing.exposition import exposition
from plumbing.listening import host_for_asyncio
from simulator.faults import read_fault
from simulator.metrics import Metrics
from simulator.server import Exchange


class Admin:
    """Answers over HTTP as long as it is open."""

    def __init__(
        self, exchange: Exchange, metrics: Metrics, host: str, port: int, *, faults: bool = False
    ) -> None:
        self._exchange, self._metrics = exchange, metrics
        self._host, self.port = host, port
        app = web.Application()
        app.router.add_get("/status", self._status)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._exposition)
        if faults:
            app.router.add_get("/faults", self._standing)
            app.router.add_post("/faults", self._inject)
            app.router.add_delete("/faults", self._end)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def open(self) -> None:
        """Listen; ``port`` is the bound one from here on."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host_for_asyncio(self._host), self.port).start()
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

    async def _standing(self, _: web.Request) -> web.Response:
        found = self._exchange.faults.standing()
        standing = [{**msgspec.to_builtins(fault), "left_seconds": left} for fault, left in found]
        return web.json_response({"faults": standing})

    async def _inject(self, request: web.Request) -> web.Response:
        """Take a fault: JSON alone, which no page of another origin may send unasked."""
        if request.content_type != "application/json":
            return _problem(415, f"found {request.content_type}, expected application/json")
        try:
            fault = read_fault(await request.read())
            await self._exchange.inject(fault)
        except ValueError as exc:
            return _problem(422, str(exc))
        return web.json_response(msgspec.to_builtins(fault), status=202)

    async def _end(self, _: web.Request) -> web.Response:
        self._exchange.faults.end()
        return web.Response(status=204)


def _problem(status: int, detail: str) -> web.Response:
    body: dict[str, Any] = {"status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")

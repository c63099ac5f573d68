"""``/signals/history``: what the charts of the page begin with."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from aiohttp import web

from ingestor.tick import Break
from monitor.http.requests import RequestProblem, json_bytes, only, time_of
from monitor.page.live import Live

STEPS: Final = range(1, 3_601)


class HistoryRoutes:
    """Answers with the course of a product's last day; ``breaks`` are those that are known."""

    def __init__(self, live: Live, breaks: Callable[[], Iterable[Break]]) -> None:
        self._live, self._breaks = live, breaks

    async def history(self, request: web.Request) -> web.Response:
        """Return a stretch of event time in columns, by steps of so many seconds or more."""
        only(request, "product", "from", "to", "step")
        name, found = self._product(request), request.query
        since_us, until_us = time_of(found, "from"), time_of(found, "to")
        step = _step(found.get("step", "1"))
        history = self._live.history(name, since_us, until_us, step, self._breaks())
        return json_bytes(msgspec.json.encode(history))

    def _product(self, request: web.Request) -> str:
        name, products = request.query.get("product"), self._live.products
        if not name:
            detail = "product: found none, expected one such as BTC-USD"
            raise RequestProblem(422, "Missing parameter", detail, parameter="product")
        if name not in products:
            known = ", ".join(products) or "none yet"
            detail = f"product: found {name!r}, expected one with predictions: {known}"
            raise RequestProblem(404, "Unknown product", detail, products=products)
        return name


def _step(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 4 and int(text) in STEPS):
        detail = f"step: found {text!r}, expected seconds from {STEPS[0]} to {STEPS[-1]}"
        raise RequestProblem(422, "Bad parameter", detail, parameter="step")
    return int(text)

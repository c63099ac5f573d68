"""States over HTTP: those of now, their records, and what they were worth."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from monitor.http.board import Board
from monitor.http.requests import RequestProblem, json_bytes, limit_of, only, time_of
from monitor.http.track import Track
from monitor.reading import LogReader, Reopened
from monitor.states.display import displayed_at
from monitor.states.lookup import Query, page_of
from signals.probabilities import Probabilities
from signals.records import Record

Found = TypeVar("Found")
WEEK: Final = 7


class StateRoutes:
    """Answers from the machines of now, and from topic ``signals``.

    ``most`` records of the topic are read for an answer at least.
    """

    def __init__(
        self,
        board: Board,
        reader: Reopened,
        most: int,
        track: Track,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._board, self._reader, self._most, self._now_us = board, reader, most, now_us
        self._track = track

    async def now(self, request: web.Request) -> web.Response:
        """Return the state of each product, or of one, as it is shown now."""
        only(request, "product")
        now_us, name = self._now_us(), request.query.get("product")
        shown = displayed_at(self._board.states(), now_us)
        found = [each for each in shown if name in (None, each.product_id)]
        if name is not None and not found:
            raise self._unknown(name)
        return json_bytes(msgspec.json.encode({"now_us": now_us, "states": found}))

    async def signals(self, request: web.Request) -> web.Response:
        """Return a product's records by event time, newest first, without the minutes."""
        only(request, "product", "from", "to", "limit", "cursor")
        asked = request.query
        name, limit = self._product(request), limit_of(asked)
        since, until = time_of(asked, "from"), time_of(asked, "to")
        query = Query(name, since or 0, until, limit, self._most, asked.get("cursor"))
        try:
            page = await asyncio.to_thread(self._read, lambda reader: page_of(reader, query))
        except ValueError as exc:
            raise RequestProblem(422, "Bad parameter", str(exc), parameter="cursor") from exc
        body = {"signals": [_brief(r) for r in page.records], "next": page.next}
        return json_bytes(msgspec.json.encode(body))

    async def record(self, request: web.Request) -> web.Response:
        """Return what a product's states were worth over the last days, and those of all."""
        only(request, "product", "days")
        name, days = self._product(request), _days(request.query.get("days", str(WEEK)))
        try:
            told = await self._track.of(days)
        except TimeoutError as exc:
            raise RequestProblem(503, "Busy", str(exc)) from exc
        week = self._board.week
        body = {
            "product_id": name,
            "days": days,
            "tables": told.by_product.get(name, []),
            "chances": [each for each in week.by_product if each.product_id == name],
            "last_day": self._last_day(name),
            "all_products": {"tables": told.over_all, "chances": week.over_all},
        }
        return json_bytes(msgspec.json.encode(body))

    def _last_day(self, name: str) -> dict[str, dict[str, Probabilities]]:
        """Return what chances of the last day said beside what came, by variant, then by event."""
        found: dict[str, dict[str, Probabilities]] = {}
        for said in self._board.forecasts:
            if said.product_id == name:
                found.setdefault(said.variant, {})[said.event] = said.figures
        return found

    def _read(self, what: Callable[[LogReader], Found]) -> Found:
        try:
            with self._reader as reader:
                return what(reader)
        except TimeoutError as exc:
            raise RequestProblem(503, "Busy", str(exc)) from exc

    def _product(self, request: web.Request) -> str:
        name = request.query.get("product")
        if not name:
            detail = "product: found none, expected one such as BTC-USD"
            raise RequestProblem(422, "Missing parameter", detail, parameter="product")
        if name not in {each.product_id for each in self._board.states()}:
            raise self._unknown(name)
        return name

    def _unknown(self, name: str) -> RequestProblem:
        products = [each.product_id for each in self._board.states()]
        known = ", ".join(products) or "none yet"
        detail = f"product: found {name!r}, expected one with a state: {known}"
        return RequestProblem(404, "Unknown product", detail, products=products)


def _brief(record: Record) -> dict[str, Any]:
    """Return what a reader wants of a record: not all that a machine needs to go on."""
    return {
        "product_id": record.product_id,
        "feed": record.feed,
        "event": record.event,
        "row": record.row,
        "budget": record.budget,
        "mode": record.state.mode,
        "detail": record.state.detail,
    }


def _days(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= 90):
        detail = f"days: found {text!r}, expected an integer from 1 to 90"
        raise RequestProblem(422, "Bad parameter", detail, parameter="days")
    return int(text)

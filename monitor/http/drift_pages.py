"""``/drift`` of the monitor: the drift process's pages, passed on unchanged."""

from collections.abc import Mapping
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

TIMEOUT_SECONDS: Final = 10.0


PASSED_ON: Final = "X-Drift-Passed-On"
"""Whoever gets a request with it is no drift process: it would ask itself for ever."""


class DriftAway(Exception):
    """The drift process did not answer."""


async def pages_of(url: str, path: str, headers: Mapping[str, str]) -> web.Response:
    """Fetch one page of the drift process, whatever its status; ``headers`` are the request's.

    Raises:
        DriftAway: there is no answer; says which address was asked.
    """
    if PASSED_ON in headers:
        raise DriftAway("found a monitor here, expected the drift process: see MONITOR_DRIFT_URL")
    if not url:
        raise DriftAway("MONITOR_DRIFT_URL names no drift process")
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    asked = URL(url.rstrip("/") + path, encoded=True)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(asked, allow_redirects=False, headers={PASSED_ON: "1"}) as answer,
        ):
            body = await answer.read()
            kind = answer.headers.get("Content-Type", "application/octet-stream")
            return web.Response(status=answer.status, body=body, headers={"Content-Type": kind})
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise DriftAway(f"no answer from {asked}: {exc!r}, expected the drift process") from exc

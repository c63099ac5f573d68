"""``/drift`` of the monitor: the drift process's pages, passed on unchanged."""

from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

TIMEOUT_SECONDS: Final = 10.0


class DriftAway(Exception):
    """The drift process did not answer."""


async def pages_of(url: str, path: str) -> web.Response:
    """Fetch one page of the drift process, whatever its status.

    Raises:
        DriftAway: there is no answer; says which address was asked.
    """
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    asked = URL(url.rstrip("/") + path, encoded=True)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(asked, allow_redirects=False) as answer,
        ):
            body = await answer.read()
            kind = answer.headers.get("Content-Type", "application/octet-stream")
            return web.Response(status=answer.status, body=body, headers={"Content-Type": kind})
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise DriftAway(f"no answer from {asked}: {exc!r}, expected the drift process") from exc

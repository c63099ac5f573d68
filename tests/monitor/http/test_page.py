"""The page over HTTP: its files, how they are kept, and what they may do."""

import asyncio
from collections.abc import Mapping

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from monitor.http.page import PageRoutes
from monitor.page.assets import page_assets

ASSETS = page_assets()
Answer = tuple[int, bytes, Mapping[str, str]]


def get(path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Status, body and headers of one GET."""

    async def once() -> Answer:
        app = web.Application()
        PageRoutes().add_to(app)
        async with TestClient(TestServer(app)) as client, client.get(path, headers=headers) as got:
            return got.status, await got.read(), got.headers

    return asyncio.run(asyncio.wait_for(once(), 60))


@pytest.mark.parametrize(
    ("path", "name"), [("/", "index.html"), *((f"/page/{name}", name) for name in ASSETS)]
)
def test_a_file_is_sent_as_it_is(path: str, name: str) -> None:
    """With its kind, and the policy under which nothing inline or foreign runs."""
    status, body, headers = get(path)
    assert (status, body) == (200, ASSETS[name].body)
    assert headers["Content-Type"] == f"{ASSETS[name].kind}; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_what_a_browser_has_is_not_sent_again() -> None:
    """It asks each time, and gets the bytes only where they are others."""
    _, _, headers = get("/page/page.css")
    assert headers["Cache-Control"] == "no-cache"
    again = get("/page/page.css", {"If-None-Match": headers["ETag"]})
    assert (again[0], again[1], again[2]["ETag"]) == (304, b"", headers["ETag"])
    assert get("/page/page.css", {"If-None-Match": '"of-before"'})[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/page/none.js", "/page/vendor/LICENSE", "/page/../assets.py", "/page/%2e%2e/config.py"],
)
def test_any_other_path_is_not_there(path: str) -> None:
    """Files are looked up by name, so that no path leads out of their folder."""
    assert get(path)[0] == 404

"""The page in a real browser: `make page-test`. A plain `make test` needs none."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

collect_ignore = (
    []
    if os.environ.get("PAGE_TEST")
    else sorted(path.name for path in Path(__file__).parent.glob("test_*.py"))
)
if os.environ.get("PAGE_TEST"):
    from playwright.sync_api import Browser, Page, sync_playwright

    from tests.monitor.page.host import Host, hosted

DESKTOP, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """The system's Chromium, without a window."""
    path = shutil.which("chromium")
    assert path, "found no chromium on the PATH, expected it: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def host() -> "Iterator[Host]":
    """A monitor whose data and time are the test's."""
    with hosted() as host:
        yield host


@pytest.fixture
def visit(browser: "Browser") -> "Iterator[Callable[..., Page]]":
    """Opens pages; one that logs an error, or asks another origin, fails the test."""
    contexts, wrong = list[Any](), list[str]()

    def opened(host: "Host", size: tuple[int, int] = DESKTOP, **more: Any) -> "Page":
        viewport = {"width": size[0], "height": size[1]}
        contexts.append(browser.new_context(viewport=viewport, **more))
        page: Page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Policy" in said.text else None)
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(host.address) else wrong.append(asked.url),
        )
        page.goto(host.address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [each for each in wrong if not each.startswith("blob:")] == []

"""The page behind Debian's nginx under a prefix, by the file of the docs."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.monitor.page.browser.test_page import lived
from tests.monitor.page.host import Host, hosted
from tests.monitor.page.world import course

CONFIG = Path(__file__).resolve().parents[4] / "docs/nginx.conf"
USERS = "ann:$apr1$saltsalt$64vPg1.FPS6FtcYJ7Ti1V.\n"
"""Whose password is s3cret, as `openssl passwd -apr1 -salt saltsalt` has it."""


@dataclass(frozen=True)
class Front:
    """Where a browser finds the page."""

    address: str


def placed(folder: Path, port: int, upstream: int) -> Path:
    """Put the file of the docs beside an empty `.run`, for other ports."""
    for name in ("docs", ".run"):
        (folder / name).mkdir()
    (folder / ".run/users").write_text(USERS)
    text = CONFIG.read_text()
    for usual, other in ((8090, upstream), (8088, port)):
        assert f"127.0.0.1:{usual}" in text
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{other}")
    (folder / "docs/nginx.conf").write_text(text)
    return folder / "docs/nginx.conf"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@contextmanager
def nginx(folder: Path, upstream: int, prefix: str = "vol") -> Iterator[Front]:
    """Debian's nginx in front of a port, while it is needed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "found no nginx, expected it: apt-get install nginx-light"
    port = free_port()
    config = placed(folder, port, upstream)
    command = [program, "-p", str(folder / ".run"), "-c", str(config), "-e", "stderr"]
    process = subprocess.Popen(command)
    try:
        listening(port, process)
        yield Front(f"http://127.0.0.1:{port}/{prefix}/")
    finally:
        process.terminate()
        process.wait(20)


def listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert process.poll() is None, "nginx ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("nginx does not listen")


@pytest.fixture
def front(host: Host, tmp_path: Path) -> Iterator[Front]:
    """A proxy before the host."""
    with nginx(tmp_path, host.port) as front:
        yield front


def test_page_stream_and_history_work_under_a_prefix(
    host: Host, front: Front, visit: Callable[..., Page]
) -> None:
    """Frames come as they are made, and every address is under the prefix."""
    lived(host)
    page = visit(front)
    expect(page.locator("#state .word")).to_have_text("calm")
    page.get_by_text("The charts as a table").click()
    expect(page.locator("#points tr")).to_have_count(120)
    host.take(*course(range(210, 400), "spike", feed="coinbase"))
    host.turn()
    expect(page.locator("#state .word")).to_have_text("spike")


def test_a_frame_is_not_kept_back(host: Host, front: Front) -> None:
    """The snapshot is there before anything follows it that could fill a buffer."""
    lived(host)
    with urlopen(front.address + "signals/stream", timeout=20) as answer:
        assert answer.readline() == b"retry: 2000\n"
        assert [answer.readline() for _ in range(3)][2] == b"event: snapshot\n"


def test_a_browser_sends_the_key_with_page_stream_and_history(
    tmp_path: Path, browser: Browser
) -> None:
    """Asked once, as the password of Basic; without it nothing is shown."""
    with hosted(api_keys="ann:s3cret") as host, nginx(tmp_path, host.port) as front:
        lived(host)
        with pytest.raises(HTTPError, match="401"):
            urlopen(Request(front.address), timeout=20)
        context = browser.new_context(http_credentials={"username": "", "password": "s3cret"})
        page = context.new_page()
        page.goto(front.address)
        expect(page.locator("#state .word")).to_have_text("calm")
        page.get_by_text("The charts as a table").click()
        expect(page.locator("#points tr")).to_have_count(120)
        context.close()


def test_who_is_known_to_the_proxy_is_let_in(tmp_path: Path, browser: Browser) -> None:
    """By the header that nginx sets; one that a client brings itself is taken away."""
    with (
        hosted(user_header="X-Forwarded-User") as host,
        nginx(tmp_path, host.port, "desk") as front,
    ):
        lived(host)
        for address in (front.address, front.address.replace("/desk/", "/vol/")):
            with pytest.raises(HTTPError, match="401"):
                urlopen(Request(address, headers={"X-Forwarded-User": "ann"}), timeout=20)
        context = browser.new_context(http_credentials={"username": "ann", "password": "s3cret"})
        page = context.new_page()
        page.goto(front.address)
        expect(page.locator("#state .word")).to_have_text("calm")
        page.get_by_text("The charts as a table").click()
        expect(page.locator("#points tr")).to_have_count(120)
        context.close()

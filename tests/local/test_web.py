"""Questions to the children."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.web import json_of, status_of
from tests.ports import held_port

ANSWERS = {"/well": (200, b'{"ready": true}'), "/torn": (200, b"{"), "/ill": (503, b'{"a": 1}')}


class Child(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a child that answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Child) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [("/well", 200, {"ready": True}), ("/torn", 200, None), ("/ill", 503, None)],
)
def test_only_a_whole_answer_of_200_is_json(
    port: int, path: str, status: int, said: object
) -> None:
    """The status is told in any case."""
    assert status_of(port, path, timeout=60.0) == status
    assert json_of(port, path, timeout=60.0) == said


def test_a_child_that_is_away_says_nothing() -> None:
    """Neither status nor JSON, and no error."""
    port = held_port()
    assert (status_of(port, "/well"), json_of(port, "/well")) == (None, None)


def test_no_proxy_stands_between(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The children are here, whatever the environment says of the way out."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{held_port()}")
    assert status_of(port, "/well", timeout=60.0) == 200

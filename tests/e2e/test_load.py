"""The drill's load counts what a user would see: nothing is tried twice, nothing goes unseen."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.e2e.kind.load import Load
from tests.e2e.kind.report import Report
from tests.e2e.stack import free_ports, until

ANSWER = {"scores": [0.25], "model_variant": "ml", "version": "abc", "ts": "now"}


class Server(ThreadingHTTPServer):
    """Answers every post; ``status`` and ``cut`` change how."""

    daemon_threads = True
    status = 200
    cut = False
    closes = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections: set[int] = set()


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, as the adapter does."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        """Answer, or cut the connection."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.connections.add(self.client_address[1])
        if self.server.cut:
            self.close_connection = True
            return
        body = json.dumps(ANSWER).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        if self.server.closes:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a free port."""
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@contextmanager
def posting(port: int, fresh: int = 1, kept: int = 1) -> Iterator[Load]:
    """Post meanwhile."""
    load = Load("127.0.0.1", port, {"a": 1.0}, fresh=fresh, kept=kept, pause=0.005)
    load.start()
    try:
        yield load
    finally:
        load.stop()


def test_answers_are_counted_by_phase(server: Server) -> None:
    """Each phase has its requests, and what was answered."""
    with posting(server.server_port) as load:
        load.enter("one")
        until(lambda: load.seen("one").requests > 5)
        load.enter("two")
        until(lambda: load.seen("two").requests > 5)
    assert not load.failures
    assert set(load.seen("one").scores) == {("ml", "abc", 0.25)}
    assert load.seen("two").versions() == {("ml", "abc")}
    assert load.seen("two").answers() == {"ml abc": load.seen("two").requests}
    assert load.seen("two").slowest > 0


def test_a_kept_connection_is_kept(server: Server) -> None:
    """The one client makes one connection; the other a new one each time."""
    with posting(server.server_port, fresh=0) as load:
        until(lambda: load.seen("start").requests > 5)
    assert len(server.connections) == 1
    with posting(server.server_port, kept=0) as load:
        until(lambda: load.seen("start").requests > 5)
    assert len(server.connections) > 5


def test_a_server_that_says_it_closes_is_left_in_peace(server: Server) -> None:
    """`Connection: close` is obeyed by the kept client: no failure."""
    server.closes = True
    with posting(server.server_port, fresh=0) as load:
        until(lambda: load.seen("start").requests > 5)
    assert not load.failures and len(server.connections) > 5


@pytest.mark.parametrize("client", ["fresh", "kept"])
def test_a_cut_connection_is_a_failure(server: Server, client: str) -> None:
    """A connection that ends without an answer is told with client, phase and reason."""
    fresh, kept = int(client == "fresh"), int(client == "kept")
    with posting(server.server_port, fresh, kept) as load:
        until(lambda: load.seen("start").requests > 2)
        load.enter("cut")
        server.cut = True
        until(lambda: load.seen("cut").failures)
        server.cut = False
        load.enter("again")
        until(lambda: load.seen("again").requests > 2)
    failure = load.seen("cut").failures[0]
    assert (failure.client, failure.phase) == (client, "cut")
    assert "RemoteDisconnected" in failure.reason
    assert load.seen("again").scores


@pytest.mark.parametrize("status", [429, 503])
def test_another_status_is_a_failure(server: Server, status: int) -> None:
    """Being refused counts as failed, be it by the limit."""
    server.status = status
    with posting(server.server_port) as load:
        until(lambda: load.failures)
    assert f"status {status}" in load.failures[0].reason


def test_nobody_there_is_a_failure() -> None:
    """A refused connection is told as such."""
    (port,) = free_ports(1)
    with posting(port) as load:
        until(lambda: load.failures)
    assert "ConnectionRefusedError" in load.failures[0].reason


def test_a_step_is_reported(server: Server) -> None:
    """A step has its seconds, requests and failures in the table."""
    with posting(server.server_port) as load:
        report = Report(load)
        with report.step("a step") as step:
            until(lambda: load.seen("a step").requests > 5)
            step.note = "a note"
    (line,) = [line for line in report.lines() if line.startswith("a step")]
    assert str(step.requests) in line and line.endswith("a note")
    assert (step.passed, step.failures) == (True, 0)


def test_a_step_with_a_failed_request_fails(server: Server) -> None:
    """One failed request is enough, and its reason is told."""
    with posting(server.server_port) as load:
        report = Report(load)
        server.status = 503
        with pytest.raises(AssertionError, match="requests failed"), report.step("a step"):
            until(lambda: load.failures)
    assert "NOT PASSED" in report.lines()[1]
    assert any(line.startswith("FAILED") for line in report.lines())

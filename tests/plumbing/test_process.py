"""What the process of a service has beside its work."""

import json
import logging
import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog

from plumbing.process import Process


@dataclass(frozen=True)
class Settings:
    """Where to listen."""

    host: str = "127.0.0.1"
    port: int = 0
    log_level: str = "INFO"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What signals and logs did before, they do after."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    root.handlers[:] = kept
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    """What was logged so far."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def get(port: int, path: str) -> tuple[int, dict]:
    """Ask a probe."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, json.load(exc)


def test_it_answers_from_the_first_moment(capsys: pytest.CaptureFixture[str]) -> None:
    """Alive, but not ready before there is something to ask; then as that says."""
    with Process("thing", Settings(), stalled_after=60) as process:
        [started] = lines(capsys)
        port = started["port"]
        assert (started["event"], started["service"]) == ("service.started", "thing")
        assert get(port, "/healthz")[0] == 200
        assert get(port, "/readyz") == (503, {"ready": False, "missing": ["started"]})
        process.ready = lambda: {"kafka": True}
        assert get(port, "/readyz")[0] == 200
    [stopped] = lines(capsys)
    assert stopped["event"] == "service.stopped"


def test_sigterm_is_a_wish_to_end() -> None:
    """Nothing is interrupted by it."""
    with Process("thing", Settings(), stalled_after=60) as process:
        assert not process.stop.requested
        os.kill(os.getpid(), signal.SIGTERM)
        assert process.stop.wait(60)


def test_a_port_that_is_taken_ends_it_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a line that names the address; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(SystemExit) as raised,
            Process("thing", Settings(port=port), stalled_after=60),
        ):
            pass
    assert raised.value.code == 1
    [line] = lines(capsys)
    assert (line["event"], line["port"]) == ("service.not_listening", port)


def test_a_failure_is_no_orderly_end(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes on as it is, and nothing says that the service stopped in order."""
    with pytest.raises(ValueError, match="ours"), Process("thing", Settings(), stalled_after=60):
        raise ValueError("ours")
    assert [line["event"] for line in lines(capsys)] == ["service.started"]

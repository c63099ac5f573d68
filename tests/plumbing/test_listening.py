"""Listening on IPv4, IPv6 and both: of threads, of asyncio, and of whole processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from plumbing.listening import ThreadedServer, bare, host_for_asyncio
from plumbing.probes import Probes
from tests.ports import IPV6, held_port
from tests.waiting import eventually, patience

ROOT = Path(__file__).resolve().parents[2]


def reached(port: int) -> set[str]:
    """Return the loopback addresses on which somebody listens at a port."""
    found = set()
    for address in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((address, port), 10).close()
            found.add(address)
        except OSError:
            pass
    return found


@contextmanager
def probes(host: str) -> Iterator[int]:
    """A service's probes at a host; gives the port."""
    made = Probes(host, 0, CollectorRegistry(), dict)
    with closing(made):
        yield made.start()


@IPV6
@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", {"127.0.0.1"}),
        ("localhost", {"127.0.0.1"}),
        ("0.0.0.0", {"127.0.0.1"}),
        ("::1", {"::1"}),
        ("::", {"127.0.0.1", "::1"}),
    ],
)
def test_probes_listen_where_they_are_told(host: str, addresses: set[str]) -> None:
    """One address, one family, or both."""
    with probes(host) as port:
        assert reached(port) == addresses


@IPV6
def test_probes_answer_over_ipv6() -> None:
    """A whole request, by an address in brackets."""
    with probes("::1") as port, asked(port) as answer:
        assert json.load(answer)["alive"] is True


def asked(port: int) -> Any:
    """Ask for /healthz at an address in brackets."""
    return urllib.request.urlopen(f"http://[::1]:{port}/healthz", timeout=60)


def test_every_address_is_ipv4s_where_there_is_no_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without IPv6 is no reason not to start."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with closing_server(ThreadedServer("::", 0, BaseHTTPRequestHandler)) as server:
        assert server.address_family == socket.AF_INET
        assert reached(server.server_port) == {"127.0.0.1"}


@contextmanager
def closing_server(server: ThreadedServer) -> Iterator[ThreadedServer]:
    """Close a server that does not run."""
    try:
        yield server
    finally:
        server.server_close()


@pytest.mark.parametrize("host", ["::1", "127.0.0.1", "0.0.0.0", "adapter", "::"])
def test_brackets_say_nothing(host: str) -> None:
    """With or without, it is the same address; every address has none for asyncio."""
    assert bare(f"[{host}]") == bare(host) == host
    assert host_for_asyncio(host) == ("" if host == "::" else host)


@pytest.mark.process
@IPV6
@pytest.mark.parametrize(
    ("service", "host", "addresses"),
    [
        ("ingestor", "[::1]", {"::1"}),
        ("monitor", "::1", {"::1"}),
        ("monitor", "::", {"127.0.0.1", "::1"}),
    ],
)
def test_a_service_listens_where_it_is_told(service: str, host: str, addresses: set[str]) -> None:
    """Its probes answer over IPv6 before a broker does; SIGTERM ends it with 0."""
    port = held_port()
    environment = {
        "LISTEN_HOST": host,
        f"{service.upper()}_PORT": str(port),
        "KAFKA_BOOTSTRAP_SERVERS": f"[::1]:{held_port()}",
        "INGESTOR_WS_URL": f"ws://[::1]:{held_port()}",
        "MONITOR_ADAPTER_URL": f"http://[::1]:{held_port()}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", service], cwd=ROOT, env=os.environ | environment
    )
    try:
        eventually(lambda: reached(port) == addresses)
        with asked(port) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience()) == 0
    finally:
        process.kill()
        process.wait()

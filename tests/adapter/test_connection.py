"""Connections to a real server of this process: heads, silence, and answers nobody reads."""

import json
import socket
import threading

import pytest
import uvicorn

from adapter.connection import bounded
from tests.waiting import eventually, patience

BIG = 64 << 20
"""More than the buffers of two sockets take."""


async def app(scope, receive, send):
    """Answers with the length of what was sent; ``/big`` with many bytes, ``/held`` never whole."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = b"x" * BIG if scope["path"] == "/big" else str(size).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    if scope["path"] == "/held":
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await receive()  # until the connection ends
        return
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def serve():
    """Starts servers with bounds; gives a function that connects and the server."""
    running = []

    def start(head_bytes=1_000, head_seconds=60.0, idle_seconds=60.0):
        kind = bounded(head_bytes, head_seconds, idle_seconds)
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, http=kind, log_config=None, lifespan="off", timeout_keep_alive=idle_seconds
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((server, thread, listening))
        eventually(lambda: server.started)
        return lambda: socket.create_connection(listening.getsockname(), patience()), server

    yield start
    for server, thread, listening in running:
        server.should_exit = True
        thread.join()
        listening.close()


def everything(client: socket.socket) -> bytes:
    """What comes until the server closes."""
    found = b""
    try:
        while part := client.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return found


def status_of(answer: bytes) -> int:
    """The status, which a problem's own must equal."""
    status, body = int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]
    problem = json.loads(body)
    assert (problem["status"], b"application/problem+json" in answer) == (status, True)
    return status


def test_a_head_that_does_not_come_is_a_408(serve):
    """One line of it, or a header a minute: the time is that of the whole head."""
    connect, _ = serve(head_seconds=0.2)
    with connect() as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nX-Slow")
        assert status_of(everything(client)) == 408


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Long: " + b"y" * 5_000,
        b"GET / HTTP/1.1\r\n" + b"X-Many: y\r\n" * 500,
        b"GET / HTTP/1.1\r\nX-Long: " + b"y" * 5_000 + b"\r\n\r\n",
        b"GET /?" + b"y" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["one without end", "many without end", "whole", "address"],
)
def test_a_head_that_is_too_large_is_a_431(serve, head):
    """However it comes; its end is not waited for."""
    connect, _ = serve()
    with connect() as client:
        client.sendall(head)
        assert status_of(everything(client)) == 431


def test_what_is_no_request_is_a_400(serve):
    """In our form, as all errors."""
    connect, _ = serve()
    with connect() as client:
        client.sendall(b"\x16\x03\x01 what is this\r\n\r\n")
        assert status_of(everything(client)) == 400


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n"])
def test_a_connection_that_idles_is_closed(serve, sent):
    """Before a first request, and after one, also where stray bytes come."""
    connect, server = serve(idle_seconds=0.2)
    with connect() as client:
        client.sendall(sent)
        answer = everything(client)
        assert answer.startswith(b"HTTP/1.1 200") == sent.startswith(b"GET")
        eventually(lambda: not server.server_state.connections)


def test_requests_one_after_the_other_are_answered(serve):
    """Each head has its own bounds; bodies, and many requests at once, are none of them."""
    connect, _ = serve(head_bytes=200)
    one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + b"z" * 5_000
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect() as client:
        client.sendall(one[:30])
        client.sendall(one[30:] + one + one[:60])
        client.sendall(one[60:] + last)
        answer = everything(client)
    assert answer.count(b"HTTP/1.1 200") == 4
    assert answer.count(b"\r\n\r\n5000") == 3


def test_an_answer_that_nobody_reads_is_let_go_of(serve):
    """It would be kept in memory for ever."""
    connect, server = serve(head_seconds=0.3)
    with connect() as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: server.server_state.total_requests or server.server_state.connections)
        eventually(lambda: not server.server_state.connections)


def test_a_head_that_stalls_behind_an_answer_under_way_does_not_stand_in_its_place(serve):
    """The next request's head does not come: the connection ends, no 408 is taken for an answer."""
    connect, _ = serve(head_seconds=0.2)
    first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    with connect() as client:
        client.sendall(first + b"z" * 10 + b"GET / HTT")
        assert everything(client).count(b"HTTP/1.1 200") == 1
    with connect() as client:
        client.sendall(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\nGET / HTT")
        found = everything(client)
        assert found.startswith(b"HTTP/1.1 200") and b"408" not in found

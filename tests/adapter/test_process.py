"""``python -m adapter`` as a process, and with a real Kafka."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial

import httpx
import pytest

from plumbing.kafka import KafkaSettings
from serving.control import Serving
from serving.follower import Follower, open_control
from serving.switch import read_control, write_control
from tests.ports import IPV6, held_port
from tests.serving.fake_v2 import FakeV2
from tests.waiting import eventually, patience

# Straight to 127.0.0.1, whatever proxy the environment names.
get = partial(httpx.get, trust_env=False, timeout=60)
post = partial(httpx.post, trust_env=False, timeout=60)


def kafka_environment(settings: KafkaSettings) -> dict[str, str]:
    """The variables by which a process finds this Kafka and this prefix."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": settings.topic_prefix,
    }


class Process:
    """A running adapter."""

    def __init__(self, model_url: str, **environment: str) -> None:
        port, host = held_port(), environment.get("ADAPTER_HOST", "127.0.0.1")
        self.url = f"http://{'[::1]' if ':' in host else host}:{port}"
        settings = {
            "ADAPTER_HOST": "127.0.0.1",
            "ADAPTER_PORT": str(port),
            "ADAPTER_MODEL_URL": model_url,
            "ADAPTER_MODEL_TIMEOUT_SECONDS": "60",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "adapter"],
            env=os.environ | settings | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        eventually(lambda: self.status("/readyz") == 200)

    def status(self, path: str) -> int:
        try:
            return get(self.url + path).status_code
        except httpx.TransportError:
            return 0

    def end(self) -> tuple[int, list[dict]]:
        """SIGTERM; gives exit code and log lines."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> tuple[int, list[dict]]:
        """Wait for the end of a process that was told; gives exit code and log lines."""
        out, _ = self.process.communicate(timeout=patience())
        return self.process.returncode, [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def started(v2, processes):
    """Starts adapters as processes and ends what is left of them."""
    running: list[Process] = []

    def start(**environment: str) -> Process:
        running.append(Process(v2.url, **environment))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


def test_it_serves_and_ends_cleanly(started, row, v2):
    """A request under way at SIGTERM is answered, the exit code is 0, all lines are JSON."""
    process = started(
        ADAPTER_FOLLOW_CONTROL="false",
        ADAPTER_DRAIN_SECONDS="0",
        ADAPTER_GRACEFUL_SECONDS="60",
    )
    answer = post(process.url + "/predict", json={"rows": [row]})
    assert answer.status_code == 200
    assert "server" not in answer.headers
    v2.hang = True
    late: list[int] = []
    asking = threading.Thread(
        target=lambda: late.append(post(process.url + "/predict", json={"rows": [row]}).status_code)
    )
    asking.start()
    assert v2.waiting.wait(patience())
    process.process.send_signal(signal.SIGTERM)
    eventually(lambda: process.status("/healthz") == 0)  # nobody is let in any more
    v2.hang = False
    code, lines = process.ended()
    asking.join(patience())
    assert (code, late) == (0, [200])
    events = [line["event"] for line in lines]
    assert events[0] == "adapter.started"
    assert events[-1] == "adapter.stopped"
    assert "http.request" in events
    assert {line["service"] for line in lines} == {"adapter"}


def test_no_request_is_lost_while_it_ends(started, row):
    """Told to end it still answers, sends its clients away one by one, and is not ready.

    The time to drain is longer than the test: what is sent after it may meet a closed door.
    """
    process = started(
        ADAPTER_FOLLOW_CONTROL="false",
        ADAPTER_DRAIN_SECONDS="60",
        ADAPTER_RATE_LIMIT="100000/minute",
    )
    closed: list[bool] = []

    def ask(client: httpx.Client) -> bool:
        answer = client.post("/predict", json={"rows": [row]})
        assert answer.status_code == 200
        return answer.headers.get("connection") == "close"

    def sent_away(client: httpx.Client, times: int) -> bool:
        closed.append(ask(client))
        return closed.count(True) >= times

    with (
        httpx.Client(trust_env=False, base_url=process.url, timeout=60) as client,
        httpx.Client(trust_env=False, base_url=process.url, timeout=60) as idle,
    ):
        assert not ask(idle)
        assert not ask(client)
        process.process.send_signal(signal.SIGTERM)
        eventually(lambda: sent_away(client, 20))
        assert closed == sorted(closed)  # once it has begun, every answer says so
        eventually(lambda: client.get("/readyz").json()["missing"] == ["running"])
        assert process.process.poll() is None
        assert ask(idle)  # on the connection it has had all the time
    assert process.ended()[0] == 0  # well before the time is up: its last client has left


def test_it_ends_at_once_when_nobody_is_connected(started):
    """The time to drain is no time to wait for nothing."""
    process = started(ADAPTER_FOLLOW_CONTROL="false", ADAPTER_DRAIN_SECONDS="600")
    assert process.end()[0] == 0


@IPV6
@pytest.mark.parametrize(("host", "also"), [("[::1]", False), ("::", True)])
def test_it_listens_on_ipv6(started, row, host, also):
    """At an address of its own, or with IPv4, and asks a model there; a client is its network."""
    with closing(FakeV2("::1")) as model:
        process = started(
            ADAPTER_FOLLOW_CONTROL="false", ADAPTER_HOST=host, ADAPTER_MODEL_URL=model.url
        )
        answer = post(process.url + "/predict", json={"rows": [row]})
    assert answer.status_code == 200
    port = httpx.URL(process.url).port
    with socket.socket() as client:
        assert (client.connect_ex(("127.0.0.1", port)) == 0) is also
    (line,) = [each for each in process.end()[1] if each.get("path") == "/predict"]
    assert line["client"] == "address:::/64"


@pytest.mark.parametrize(
    ("proxies", "answers"),
    [
        ({}, [200, 429]),
        ({"ADAPTER_TRUSTED_PROXY_HOPS": "1"}, [200, 200]),
        (
            {"ADAPTER_TRUSTED_PROXY_HOPS": "1", "ADAPTER_TRUSTED_PROXIES": "127.0.0.0/8"},
            [200, 200],
        ),
        (
            {"ADAPTER_TRUSTED_PROXY_HOPS": "1", "ADAPTER_TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8"},
            [200, 429],
        ),
    ],
)
def test_an_address_is_believed_of_our_own_proxies_alone(started, row, proxies, answers):
    """X-Forwarded-For from loopback counts as far as the settings make loopback a proxy."""
    process = started(ADAPTER_FOLLOW_CONTROL="false", ADAPTER_RATE_LIMIT="1/hour", **proxies)
    found = [
        post(
            process.url + "/predict",
            json={"rows": [row]},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        ).status_code
        for number in range(2)
    ]
    assert found == answers


def test_an_endless_body_is_cut_off(started):
    """A body without end is refused as soon as it is too long."""
    process = started(ADAPTER_FOLLOW_CONTROL="false", ADAPTER_MAX_BODY_BYTES="1000")
    sent = 0

    def endless():
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    try:
        answer = post(process.url + "/predict", content=endless())
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server closed while we were still sending
    assert sent < 100 << 20
    assert process.status("/healthz") == 200


def test_a_body_that_does_not_come_is_a_408(started):
    """Its connection is closed, and what had come is let go of."""
    process = started(ADAPTER_FOLLOW_CONTROL="false", ADAPTER_RECEIVE_SECONDS="0.2")
    host, port = httpx.URL(process.url).host, httpx.URL(process.url).port
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection((host, port), 60) as client:
        client.sendall(head + b" " * 1000)
        answer = b""
        while part := client.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 408") and b"did not come within 0.2 s" in answer
    assert process.status("/healthz") == 200


@pytest.mark.kafka
def test_the_variant_is_switched_by_the_command(started, row, kafka_settings):
    """`python -m adapter variant baseline` is followed without a restart."""
    environment = kafka_environment(kafka_settings)
    process = started(**environment, ADAPTER_RATE_LIMIT="100000/minute")

    def variant() -> str:
        answer = post(process.url + "/predict", json={"rows": [row]})
        assert answer.status_code == 200
        return answer.json()["model_variant"]

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "adapter", "variant", *arguments],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=patience(120),
        )

    assert variant() == "ml"
    assert command().stdout.startswith("ml (by default")
    wrong = command("mll")
    assert wrong.returncode == 2
    assert "expected one of ml, baseline" in wrong.stderr
    write_control(kafka_settings, "baseline", "ann", time.time_ns() // 1000)
    eventually(lambda: variant() == "baseline")
    assert command("ml", "--by", "bob").stdout.startswith("ml (since ")
    eventually(lambda: variant() == "ml")
    assert get(process.url + "/health").json()["changed_by"] == "bob"
    assert process.end()[0] == 0


@pytest.mark.kafka
def test_a_follower_that_starts_later_knows_the_variant(kafka_settings):
    """The topic is compacted: what was said before is still known."""
    assert read_control(kafka_settings) is None
    for variant in ("ml", "baseline"):
        write_control(kafka_settings, variant, "ann", 5)
    assert read_control(kafka_settings).variant == "baseline"
    follower = Follower(Serving("ml"), lambda: open_control(kafka_settings)).start()
    eventually(lambda: (follower.serving.variant, follower.state) == ("baseline", "followed"))
    follower.stop()

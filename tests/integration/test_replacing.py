"""Replicas of the adapter and of MLServer are replaced under load, and no request fails."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from featurizer.features import EXAMPLE
from tests.balancer import Balancer
from tests.ports import held_port
from tests.waiting import eventually, patience

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("/v2/models/ml/ready", "/v2/models/baseline/ready")


class Replica:
    """A process behind a balancer; ``start`` and ``end`` do what a cluster does with a pod."""

    def __init__(
        self, command: list[str], port_variable: str, ready: tuple[str, ...], **env: str
    ) -> None:
        self.port = held_port()
        self._command, self._ready = command, ready
        self._env = os.environ | env | {port_variable: str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None
        self.balancer: Balancer | None = None

    def launch(self) -> None:
        self.process = subprocess.Popen(
            self._command, env=self._env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=sys.stderr
        )

    def await_ready(self) -> None:
        eventually(lambda: all(self._status(path) == 200 for path in self._ready))
        assert self.balancer
        self.balancer.replicas.append(self.port)

    def end(self) -> int:
        """No more new connections, then SIGTERM; gives the exit code."""
        assert self.process and self.balancer
        self.balancer.replicas.remove(self.port)
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience())

    def kill(self) -> None:
        """It is gone; the address learns of it a second later."""
        assert self.process and self.balancer
        self.process.kill()
        self.process.wait(patience())
        threading.Event().wait(1.0)
        self.balancer.replicas.remove(self.port)

    def clear(self) -> None:
        """End what may be left."""
        if self.process:
            self.process.kill()
            self.process.wait(patience())

    def _status(self, path: str) -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False).status_code
        except httpx.TransportError:
            return 0


def mlserver() -> Replica:
    """A model server with the models of this repository."""
    program = str(Path(sys.executable).with_name("mlserver"))
    return Replica(
        [program, "start", "model-settings"],
        "MLSERVER_HTTP_PORT",
        MODELS,
        MLSERVER_HOST="127.0.0.1",
        MLSERVER_GRPC_PORT=str(held_port()),
        MLSERVER_METRICS_PORT=str(held_port()),
        MLSERVER_DEBUG="false",
        MLSERVER_PARALLEL_WORKERS="0",
    )


def adapter(model_url: str) -> Replica:
    """An adapter in front of that address."""
    return Replica(
        [sys.executable, "-m", "adapter"],
        "ADAPTER_PORT",
        ("/readyz",),
        ADAPTER_HOST="127.0.0.1",
        ADAPTER_MODEL_URL=model_url,
        ADAPTER_FOLLOW_CONTROL="false",
        # Longer than a client may pause: it ends as soon as all have gone elsewhere.
        ADAPTER_DRAIN_SECONDS="60",
        # No answer is late because two model servers start on the same machine.
        ADAPTER_MODEL_TIMEOUT_SECONDS="60",
        ADAPTER_RATE_LIMIT="1000000/minute",
    )


class Load:
    """Clients with keep-alive that never try again; ``seen`` counts what they got."""

    def __init__(self, url: str, clients: int = 3) -> None:
        self.seen: Counter[str] = Counter()
        self._lock, self._over = threading.Lock(), threading.Event()
        ask = partial(self._ask, url)
        self._threads = [threading.Thread(target=ask) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, url: str) -> None:
        body = {"rows": [EXAMPLE]}
        with httpx.Client(base_url=url, trust_env=False, timeout=patience()) as client:
            while not self._over.wait(0.05):
                try:
                    answer = client.post("/predict", json=body)
                    said = f"{answer.status_code} {answer.json().get('model_variant')}"
                except Exception as exc:
                    said = repr(exc)
                with self._lock:
                    self.seen[said] += 1


@pytest.fixture
def replicas() -> Iterator[tuple[list[Replica], list[Replica], str]]:
    """Two model servers, two adapters, and the address of the latter."""
    with ExitStack() as stack:
        inner, outer = Balancer(), Balancer()
        stack.callback(inner.close)
        stack.callback(outer.close)
        models = [mlserver(), mlserver()]
        adapters = [adapter(inner.url), adapter(inner.url)]
        for replica in (*models, *adapters):
            replica.balancer = inner if replica in models else outer
            replica.launch()
            stack.callback(replica.clear)
        for replica in (*models, *adapters):
            replica.await_ready()
        yield models, adapters, outer.url


@pytest.mark.timeout(300)
@pytest.mark.process
def test_no_request_fails_while_replicas_are_replaced(
    replicas: tuple[list[Replica], list[Replica], str],
) -> None:
    """Model servers and adapters end by SIGTERM one by one, a model server is killed outright."""
    models, adapters, url = replicas
    load = Load(url)
    try:
        for replica in (*models, *adapters):
            assert replica.end() == 0
            replica.launch()
            replica.await_ready()
        asked = load.seen.total()
        models[0].kill()
        eventually(lambda: load.seen.total() > asked + 100)
    finally:
        load.stop()
    assert set(load.seen) == {"200 ml"}

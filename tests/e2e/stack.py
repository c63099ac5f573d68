"""A running compose project, and how tests ask it."""

import json
import os
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from featurizer.features import REQUIRED
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "crypto-volatility-e2e"
TAG: Final = os.environ.get("TAG", "dev")
"""Of the images of the present tree."""
MAKEFILE: Final = "make/compose.mk"
PUBLISHED = ("ADAPTER", "MONITOR", "GRAFANA", "PROMETHEUS", "MLFLOW")
UNKNOWN_ROW = json.dumps({"rows": [dict.fromkeys(REQUIRED)]}).encode()

Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running compose project: its variables, and the folder that its models are served from.

    ``tree`` is where its docker-compose.yml stands, with ``env_file`` and ``makefile``.
    """

    env: dict[str, str]
    models: Path
    ready_seconds: float = 0.0
    tree: Path = ROOT
    env_file: str = "env/replay.env"
    makefile: str = MAKEFILE

    def run(
        self, *command: str, check: bool = True, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with the variables of this project."""
        done = subprocess.run(
            command, cwd=self.tree, env=self.env, input=stdin, capture_output=True, text=True
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done

    def compose(self, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
        """Run ``docker compose`` and return what it says."""
        command = ("docker", "compose", "--env-file", self.env_file)
        return self.run(*command, *arguments, check=check, stdin=stdin).stdout

    def up(self, *services: str) -> None:
        """Start these services, or all, and wait until they are healthy; else show the logs."""
        try:
            self.compose("up", "--detach", "--wait", *services)
        except AssertionError as exc:
            logs = self.compose("logs", "--no-color", "--tail", "15")
            raise AssertionError(f"{exc}\n{logs}") from None

    def make(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of the targets of make/compose.mk."""
        return self.run("make", "-s", "-f", self.makefile, *arguments, check=check)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what Docker knows of each container, by service."""
        ids = self.compose("ps", "--all", "--quiet").split()
        found = json.loads(self.run("docker", "inspect", *ids).stdout)
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}

    def url(self, service: str, path: str) -> str:
        """Return the address of a published port."""
        return f"http://127.0.0.1:{self.env[service.upper() + '_PUBLISHED']}{path}"

    def ask(self, service: str, path: str, body: bytes | None = None) -> Answer:
        """Return status and JSON of an answer; status 0 where none came."""
        return ask_url(self.url(service, path), body)

    def predict(self) -> Answer:
        """Post one row in which nothing is known."""
        return self.ask("adapter", "/predict", UNKNOWN_ROW)

    def kill(self, service: str) -> None:
        """Kill the service from inside, as an out-of-memory kill does: Docker was not asked to."""
        script = "import os, signal; os.kill(-1, signal.SIGKILL)"
        self.compose("exec", "-T", service, "python", "-c", script, check=False)

    @contextmanager
    def load(self) -> Iterator[Counter[tuple[int, str, str]]]:
        """Post to ``/predict`` meanwhile; counts answers by status, variant and version."""
        counts: Counter[tuple[int, str, str]] = Counter()
        over = threading.Event()

        def post() -> None:
            while not over.wait(0.02):
                status, body = self.predict()
                who = body if isinstance(body, dict) else {}
                variant, version = who.get("model_variant", ""), who.get("version", str(body))
                counts[status, variant, version] += 1

        thread = threading.Thread(target=post, name="load")
        thread.start()
        try:
            yield counts
        finally:
            over.set()
            thread.join()


def ask_url(url: str, body: bytes | None = None) -> Answer:
    """Get, or post JSON; gives status and JSON of the answer, status 0 where none came."""
    kind = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(url, body, kind)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json_of(response.read())
    except urllib.error.HTTPError as exc:
        return exc.code, json_of(exc.read())
    except OSError as exc:
        return 0, repr(exc)


def json_of(body: bytes) -> Any:
    """Read JSON, or give the text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Ask until the answer is true, and return it; fails after so many seconds of patience."""
    return eventually(condition, seconds=seconds, pause=0.5)


def until_none(remaining: Callable[[], Any], seconds: float = 60.0) -> None:
    """Ask until nothing remains; fails after so many seconds, with what does."""
    left: list[Any] = []

    def none() -> bool:
        left[:] = [remaining()]
        return not left[0]

    try:
        until(none, seconds)
    except AssertionError as exc:
        raise AssertionError(f"after {seconds} s there still is {left[0]}") from exc


def free_ports(count: int) -> Sequence[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports

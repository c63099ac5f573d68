"""Simulator, ingestor, featurizers and scorers as processes, on a broker of the test's own."""

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ingestor.continuity import events
from ingestor.recordings.recording import Frame
from ingestor.tick import Break
from local.audit import audit
from local.content import Content
from plumbing.kafka import KafkaSettings
from simulator.market import frames
from tests.ports import held_port
from tests.waiting import eventually, patience

ROOT = Path(__file__).resolve().parents[2]
START_US = 1_704_067_200_000_000


@dataclass(frozen=True)
class Market:
    """The generated market of a run; it goes on until the ingestor is ended."""

    products: str = "BTC-USD,ETH-USD"
    speed: float = 10.0
    seed: int = 7

    def beginning(self, count: int) -> list[Frame]:
        """Return the first frames, as many as bring so many ticks and beats."""
        taken: list[Frame] = []

        def noted() -> Iterator[Frame]:
            for frame in frames(self.seed, self.products.split(","), START_US):
                taken.append(frame)
                yield frame

        brought = (event for event in events(noted(), "f") if not isinstance(event, Break))
        assert len(list(islice(brought, count))) == count
        return taken


class Process:
    """``python -m NAME`` with probes on ``port``; its log lines go to ``log``."""

    def __init__(self, name: str, log: Path, port: int, environment: dict[str, str]) -> None:
        self.name, self.log, self.port = name, log, port
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", name],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Ask it; status 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as found:
                return found.status, found.read().decode()
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""

    def sample(self, name: str) -> float:
        """Return the sum of a metric over its labels, once it answers."""
        found: list[str] = []

        def answered() -> bool:
            status, body = self.get("/metrics")
            found[:] = body.splitlines()
            return status == 200

        eventually(answered, f"metrics of {self.name}")
        mine = [line for line in found if line.startswith((name + " ", name + "{"))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in mine)

    def logged(self, event: str) -> list[dict]:
        """All log lines of this event; a last one without an end is still being written."""
        whole = self.log.read_text().rpartition("\n")[0]
        lines = (line for line in whole.splitlines() if line.startswith("{"))
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def end(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience())

    def kill(self) -> None:
        """End it without asking."""
        self.process.kill()
        self.process.wait(patience())


class Pipeline:
    """All processes of a run; what is left of them ends with ``close``."""

    def __init__(self, kafka: KafkaSettings, market: Market, model_url: str, folder: Path) -> None:
        self.kafka, self.market, self._model_url, self._folder = kafka, market, model_url, folder
        self._exchange = held_port()
        self._number = 0
        self.running: list[Process] = []

    def simulator(self) -> Process:
        """The exchange; its clock begins with the first ingestor."""
        market = self.market
        return self._start(
            "simulator",
            port_variable="SIMULATOR_ADMIN_PORT",
            SIMULATOR_PORT=str(self._exchange),
            SIMULATOR_PRODUCTS=market.products,
            SIMULATOR_SPEED=str(market.speed),
            SIMULATOR_SEED=str(market.seed),
        )

    def ingestor(self) -> Process:
        return self._start(
            "ingestor",
            INGESTOR_WS_URL=f"ws://127.0.0.1:{self._exchange}",
            INGESTOR_PRODUCTS=self.market.products,
        )

    def featurizer(self) -> Process:
        return self._start("featurizer")

    def scorer(self) -> Process:
        return self._start("scorer", SCORER_MODEL_URL=self._model_url)

    def monitor(self) -> Process:
        """It asks an adapter that is not there, and says so."""
        nobody = f"http://127.0.0.1:{held_port()}"
        return self._start("monitor", MONITOR_ADAPTER_URL=nobody, MONITOR_SCAN_SECONDS="60")

    def close(self) -> None:
        """Kill what is left."""
        for process in self.running:
            process.kill()

    def _start(self, name: str, port_variable: str = "", **own: str) -> Process:
        self._number += 1
        port, prefix = held_port(), name.upper()
        environment = {
            f"{prefix}_HOST": "127.0.0.1",
            port_variable or f"{prefix}_PORT": str(port),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
            "KAFKA_REPLICATION_FACTOR": str(self.kafka.replication_factor),
            **own,
        }
        log = self._folder / f"{self._number}-{name}.log"
        self.running.append(Process(name, log, port, environment))
        return self.running[-1]


def ready(*processes: Process) -> None:
    """Wait until all are ready."""
    for process in processes:
        eventually(lambda p=process: p.get("/readyz")[0] == 200, f"{process.name} ready")


def event_seconds(simulator: Process) -> float:
    """Say how much of the market is over, in seconds of event time."""
    status, body = simulator.get("/status")
    return (json.loads(body)["event_time_us"] - START_US) / 1_000_000 if status == 200 else 0.0


def published(kafka: KafkaSettings, market: Market, ingestor: Process) -> list[Frame]:
    """End the ingestor; gives the frames of the market that it published, and it left none out."""
    received = ingestor.sample("ingestor_ticks_total")
    assert ingestor.end() == 0
    found = audit(kafka, Content(), patience())
    assert found["ticks"]["ids"] >= received > 0
    return market.beginning(found["ticks"]["ids"] + found["beats"]["ids"])

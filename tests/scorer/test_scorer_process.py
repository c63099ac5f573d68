"""``python -m scorer`` between a real Kafka and a V2 server."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from featurizer.features import FEATURES_DIGEST, NAMES
from featurizer.row import encode
from ingestor.dead_letter import decode as decode_letter
from ingestor.topics import DEAD_LETTERS, FEATURES, PREDICTIONS
from plumbing.kafka import KafkaSettings, Producer, Reader, Record, ensure_topics
from scorer.prediction import Prediction, decode
from serving.switch import write_control
from tests.ports import held_port
from tests.waiting import eventually, patience

# Straight to 127.0.0.1, whatever proxy the environment names.
get = partial(httpx.get, trust_env=False, timeout=60)

pytestmark = pytest.mark.kafka


class Handler(BaseHTTPRequestHandler):
    """A V2 server whose score is the first feature; 404 while ``away``.

    It is too slow for more than ``most`` rows, and fails at a score above 1.
    """

    protocol_version = "HTTP/1.1"
    away = False
    most = 1_000
    hanging = threading.Event()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        variant = self.path.split("/")[3]
        [tensor] = asked["inputs"]
        scores = tensor["data"][:: len(NAMES)]
        parameters = {
            "model_variant": variant,
            "version": "1",
            "digest": variant,
            "features_digest": FEATURES_DIGEST,
            "dialect": "advanced",
            "tau": '{"BTC-USD": 0.001}',
            "threshold": '{"BTC-USD": 0.5}',
        }
        if len(scores) > self.most:
            self.hanging.wait(60)
        output = {"name": "score", "shape": [len(scores)], "datatype": "FP64", "data": scores}
        if max(scores) > 1:
            self._fail()
        else:
            self._say({"parameters": parameters, "outputs": [output]})

    def _fail(self) -> None:
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _say(self, content: object) -> None:
        body = json.dumps({"error": "away"} if self.away else content).encode()
        self.send_response(404 if self.away else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def v2():
    """A V2 server; gives its URL."""
    Handler.away, Handler.most, Handler.hanging = False, 1_000, threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Handler.hanging.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def start(v2, kafka_settings):
    """Starts scorers as processes and ends what is left of them."""
    running: list[tuple[subprocess.Popen[str], str]] = []

    def start(timeout: str = "60") -> tuple[subprocess.Popen[str], str]:
        port = held_port()
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka_settings.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": kafka_settings.topic_prefix,
            "SCORER_MODEL_URL": v2,
            "SCORER_PORT": str(port),
            "SCORER_HOST": "127.0.0.1",
            "SCORER_MODEL_TIMEOUT_SECONDS": timeout,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "scorer"],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append((process, f"http://127.0.0.1:{port}"))
        return running[-1]

    yield start
    for process, _ in running:
        if process.poll() is None:
            process.kill()
            process.communicate()


def status(url: str) -> int:
    """What a probe answers; 0 without a listener."""
    try:
        return get(url + "/readyz").status_code
    except httpx.TransportError:
        return 0


class Topics:
    """Writes features, reads predictions."""

    def __init__(self, settings: KafkaSettings) -> None:
        ensure_topics(settings, [FEATURES, PREDICTIONS, DEAD_LETTERS])
        self.settings = settings
        self._producer = Producer(settings)
        self._reader = Reader(settings, [PREDICTIONS.name])
        self.records: list[Record] = []

    @property
    def found(self) -> list[Prediction]:
        return [decode(record.value) for record in self.records]

    def write(self, *rows) -> None:
        for row in rows:
            now = str(time.time_ns() // 1000)
            headers = {"received_us": now, "featurized_us": now}
            self._producer.send(FEATURES.name, row.product_id, encode(row), headers)
        self._producer.flush()

    def read(self, count: int) -> list[Prediction]:
        def enough() -> bool:
            self.records += self._reader.poll(0.05)
            return len(self.records) >= count

        eventually(enough)
        return self.found

    def close(self) -> None:
        self._producer.close()
        self._reader.close()


@pytest.fixture
def topics(kafka_settings):
    """The topics around the scorer."""
    found = Topics(kafka_settings)
    yield found
    found.close()


def test_every_row_is_predicted_once_through_outage_and_restart(start, topics, make_row):
    """Model away: not ready, nothing lost; SIGTERM: exit 0; a new start goes on from there."""
    process, url = start()
    eventually(lambda: status(url) == 200)
    topics.write(*[make_row(number) for number in range(20)])
    assert len(topics.read(20)) == 20
    Handler.away = True
    topics.write(make_row(20), make_row(21))
    eventually(lambda: status(url) == 503)
    Handler.away = False
    assert len(topics.read(22)) == 22
    eventually(lambda: status(url) == 200)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=patience())
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in out.splitlines()][-1] == "service.stopped"
    topics.write(make_row(22))
    start()
    found = topics.read(23)
    assert [each.time_us for each in found] == list(range(23))
    assert len({each.prediction_id for each in found}) == 23


def test_it_gets_through_a_slow_model_and_past_a_row_it_fails_at(start, topics, make_row):
    """Too many rows for the time there is, and one that always fails: the others are predicted."""
    Handler.most = 8
    named = dict(make_row(0).features)
    poison = make_row(13, features=named | {NAMES[0]: 7.0})
    topics.write(*[poison if number == 13 else make_row(number) for number in range(30)])
    letters = Reader(topics.settings, [DEAD_LETTERS.name])
    start(timeout="1")
    found = topics.read(29)
    assert [each.time_us for each in found] == [n for n in range(30) if n != 13]
    dead: list[Record] = []
    eventually(lambda: dead.extend(letters.poll(0.05)) or dead)
    letters.close()
    assert "no score: ml: found status 500" in decode_letter(dead[0].value).reason
    assert len(dead) == 1


def test_the_variant_is_followed(start, topics, make_row, kafka_settings):
    """A switch by the topic control changes who serves, without a restart."""
    _, url = start()
    eventually(lambda: status(url) == 200)
    topics.write(make_row(0))
    assert topics.read(1)[0].model_variant == "ml"
    write_control(kafka_settings, "baseline", "ann", 5)
    gauge = 'scorer_serving_variant{variant="baseline"} 1.0'

    def switched() -> bool:
        topics.write(make_row(len(topics.records)))
        return topics.read(len(topics.records) + 1)[-1].model_variant == "baseline"

    eventually(switched)
    assert gauge in get(url + "/metrics").text


def test_a_row_is_predicted_in_milliseconds(start, topics, make_row):
    """At ten rows a second most of fifty predictions stand in the topic well within 100 ms.

    A machine that is busy with something else may need more than the first fifty to show it.
    """
    _, url = start()
    eventually(lambda: status(url) == 200)
    waits: deque[float] = deque(maxlen=50)

    def most_in_time() -> bool:
        threading.Event().wait(0.05)
        started, count = time.monotonic(), len(topics.records)
        topics.write(make_row(count))
        topics.read(count + 1)
        waits.append(time.monotonic() - started)
        return len(waits) == 50 and sorted(waits)[25] < 0.1

    eventually(most_in_time, seconds=120)

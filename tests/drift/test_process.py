"""The drift process on a real Apache Kafka, and the monitor in front of it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.drift_markets import model_of, values
from featurizer.row import FeatureRow
from featurizer.row import encode as encode_row
from ingestor.topics import FEATURES, OUTCOMES, PREDICTIONS, TOPICS
from monitor.outcome import encode as encode_outcome
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from scorer.prediction import encode as encode_prediction
from serving.artifact import write_folder
from serving.linear import Linear
from serving.reference import ProductReference, Reference, reference_of
from tests.drift.world import hour, scored, settled
from tests.monitor.http.test_api import Service
from tests.monitor.http.test_api import get as get_in_memory
from tests.ports import held_port
from tests.waiting import eventually, patience

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = ("BTC-USD", "ETH-USD")


def spread(part: ProductReference) -> ProductReference:
    """The reference of one row a minute, as that of all seconds."""
    return ProductReference(
        rows=part.rows, scores=part.scores, prevalence=0.1, of_rows=60 * part.of_rows
    )


def trained(root: Path) -> tuple[Linear, str]:
    """A model folder that learned from a calm hour of both products."""
    hours = {product: values(hour("calm", 1, product)) for product in PRODUCTS}
    model = model_of(hours["BTC-USD"])
    found = [(product, row) for product, each in hours.items() for row in each]
    names, made = [p for p, _ in found], [row for _, row in found]
    scores = [model.score(row) for row in made]
    parts = reference_of(names, made, scores, [None] * len(found)).products
    golden = {"rows": made[:1], "scores": scores[:1]}
    card = {"dialect": "advanced", "tau": {}, "threshold": {}, "golden": golden}
    reference = Reference(products={name: spread(part) for name, part in parts.items()})
    info = write_folder(
        root / "baseline", variant="baseline", linear=model, card=card, reference=reference
    )
    return model, info.digest


def publish(kafka: KafkaSettings, found: list[FeatureRow], model: Linear, digest: str) -> None:
    """Write rows, their predictions and outcomes."""
    producer = Producer(kafka, linger_ms=20)
    for row, each in zip(found, values(found), strict=True):
        made = scored(row, model.score(each), digest)
        producer.send(FEATURES.name, row.product_id, encode_row(row))
        producer.send(PREDICTIONS.name, row.product_id, encode_prediction(made))
        producer.send(OUTCOMES.name, row.product_id, encode_outcome(settled(row, label=False)))
    producer.flush()
    producer.close()


def environment(kafka: KafkaSettings, models: Path, port: int) -> dict[str, str]:
    """The process's settings."""
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "DRIFT_MODELS": str(models),
        "DRIFT_PORT": str(port),
        "DRIFT_EVERY_SECONDS": "1",
    }


@contextmanager
def process(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """``python -m drift``; killed at the end if it still runs."""
    found = subprocess.Popen([sys.executable, "-m", "drift"], cwd=ROOT, env=env)
    try:
        yield found
    finally:
        if found.poll() is None:
            found.kill()
        found.wait(patience())


def get(port: int, path: str) -> tuple[int, str]:
    """Status and text of one GET; (0, "") where nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()
    except OSError:
        return 0, ""


def metric(port: int, line: str) -> Callable[[], bool]:
    """Ask whether a metric's line is served."""
    return lambda: line in get(port, "/metrics")[1].splitlines()


def test_a_regime_change_is_seen_served_and_alarmed(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    """The product that turned wild has drifted, the calm one has not, on every surface."""
    ensure_topics(kafka_settings, TOPICS)
    model, digest = trained(tmp_path / "models")
    publish(kafka_settings, hour("wild", 2, "BTC-USD"), model, digest)
    publish(kafka_settings, hour("calm", 3, "ETH-USD"), model, digest)
    port = held_port()
    with process(environment(kafka_settings, tmp_path / "models", port)) as found:
        eventually(lambda: get(port, "/readyz")[0] == 200, seconds=180)
        eventually(metric(port, 'monitor_drift_detected{product="BTC-USD"} 1.0'))
        eventually(metric(port, 'monitor_drift_detected{product="ETH-USD"} 0.0'))
        eventually(metric(port, "monitor_drift_products_compared 2.0"))
        states = {
            one["product"]: (one["state"], one["drifted"], one["labelled"])
            for one in json.loads(get(port, "/drift.json")[1])["products"]
        }
        assert states["BTC-USD"][:2] == ("compared", True)
        assert states["ETH-USD"][:2] == ("compared", False)
        assert "BTC-USD: drifted" in get(port, "/drift")[1]
        assert "realized_volatility_60s" in get(port, "/drift/BTC-USD")[1]
        assert get(port, "/drift/DOGE-USD")[0] == 404
        service = Service(drift_url=f"http://127.0.0.1:{port}")
        assert get_in_memory(service, "/drift.json")[0] == 200
        found.send_signal(signal.SIGTERM)
        assert found.wait(patience()) == 0


def test_one_comparison_by_hand(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    """``--now`` prints the summary, writes the pages and ends."""
    ensure_topics(kafka_settings, TOPICS)
    model, digest = trained(tmp_path / "models")
    publish(kafka_settings, hour("wild", 2), model, digest)
    ended = subprocess.run(
        [sys.executable, "-m", "drift", "--now", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=environment(kafka_settings, tmp_path / "models", 0),
        capture_output=True,
        timeout=patience(300),
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    summary = {one["product"]: one for one in json.loads(ended.stdout)["products"]}
    assert summary["BTC-USD"]["drifted"] is True
    assert (summary["ETH-USD"]["state"], summary["ETH-USD"]["drifted"]) == ("no_rows", None)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "BTC-USD.html",
        "index.html",
    ]


def test_without_topics_it_lives_says_so_and_tries_again(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    """Nothing to read: alive, not ready, failures counted; with the topics it recovers."""
    port = held_port()
    with process(environment(kafka_settings, tmp_path, port)):
        eventually(lambda: float(_value(get(port, "/metrics")[1], "failures_total")) > 0)
        assert get(port, "/healthz")[0] == 200
        assert get(port, "/readyz")[0] == 503
        assert get(port, "/drift")[0] == 503
        assert metric(port, "monitor_drift_products_compared 0.0")()
        ensure_topics(kafka_settings, TOPICS)
        eventually(lambda: get(port, "/readyz")[0] == 200)
        last = _value(get(port, "/metrics")[1], "last_run_timestamp_seconds")
        assert float(last) == pytest.approx(time.time(), abs=600)


def _value(text: str, name: str) -> str:
    """The value of an unlabelled metric; 0 where nobody listens yet."""
    head = f"monitor_drift_{name} "
    return next((x.removeprefix(head) for x in text.splitlines() if x.startswith(head)), "0")

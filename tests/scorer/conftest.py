"""Models, Kafka and rows in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError
from prometheus_client import CollectorRegistry

from featurizer.features import EXAMPLE, FEATURES_DIGEST, NAMES
from featurizer.row import FeatureRow, encode
from plumbing.backoff import Backoff
from plumbing.kafka import DeliveryError, Outbox, Partition, Record, Worker
from plumbing.stop import Stop
from plumbing.tracing.trace import UNTRACED, Tracer
from scorer.config import Settings
from scorer.metrics import Metrics
from scorer.service import Session
from scorer.shadow_client import ShadowClient
from serving.artifact import ModelInfo
from serving.control import Serving
from serving.linear import Linear
from serving.tensor import Row
from serving.v2 import ModelAway, ModelError, Scored

NAME = ("realized_volatility_60s",)
LINEAR = {
    "ml": Linear("ml", NAME, (0.001,), (0.001,), (0.0005,), (2.0,), 0.0),
    "baseline": Linear("baseline", NAME, (0.001,), (0.001,), (0.0005,), (1.0,), 0.0),
}


def info_of(variant: str, **changes: Any) -> ModelInfo:
    """What a model says of itself; one product has τ and threshold."""
    fields = {
        "variant": variant,
        "version": f"{variant}-1",
        "digest": f"{variant}-digest",
        "features_digest": FEATURES_DIGEST,
        "dialect": "advanced",
        "tau": {"BTC-USD": 0.0012},
        "threshold": {"BTC-USD": 0.6},
    }
    return ModelInfo(**(fields | changes))


def feature_row(number: int = 0, **changes: Any) -> FeatureRow:
    """A row whose volatility grows with its number."""
    fields = {
        "row_id": f"feed:BTC-USD:{number}:0",
        "feed": "feed",
        "product_id": "BTC-USD",
        "time_us": number,
        "trade_id": 0,
        "dialect": "advanced",
        "mid": 100.0,
        "features": EXAMPLE | {"realized_volatility_60s": 1e-5 * number},
        "coverage": 1.0,
    }
    return FeatureRow(**(fields | changes))


class FakeModel:
    """Scores by ``LINEAR``; ``failing`` names what each variant raises, until it is taken out."""

    def __init__(self) -> None:
        self.failing: dict[str, ModelError] = {}
        self.asked: list[tuple[str, int]] = []
        self.infos = {variant: info_of(variant) for variant in LINEAR}
        self.at_once = 0
        self.most_at_once = 0

    async def infer(
        self,
        variant: str,
        rows: Sequence[Row],
        *,
        within: float | None = None,
        traceparent: str | None = None,
    ) -> Scored:
        self.asked.append((variant, len(rows)))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if variant in self.failing:
            raise self.failing[variant]
        return Scored(
            [LINEAR[variant].score(row[: len(NAMES)]) for row in rows], self.infos[variant]
        )


class FakeConsumer:
    """Gives out batches, one a poll, and notes what was committed."""

    def __init__(self, journal: list[str]) -> None:
        self.batches: list[list[Record]] = []
        self.journal = journal
        self.given = 0
        self.committed = 0
        self.failing, self.joined = False, True
        self.stays = 0

    def add(self, *records: tuple[bytes, Mapping[str, str]]) -> None:
        self.batches.append(
            [
                Record("features", 0, offset, 1_000, "BTC-USD", value, headers)
                for offset, (value, headers) in enumerate(records)
            ]
        )

    def poll(self, timeout: float) -> list[Record]:
        records = self.batches.pop(0) if self.batches else []
        self.given += len(records)
        return records

    def commit(self) -> bool:
        if self.failing:
            return False
        self.journal.append("commit")
        self.committed = self.given
        return True

    def stay(self) -> None:
        self.stays += 1

    def close(self) -> None:
        self.journal.append("close")


class FakeProducer:
    """Keeps what was sent; ``failures`` is how many flushes still fail."""

    failures = 0

    def __init__(self, sent: list[Record], journal: list[str]) -> None:
        self.sent, self.journal = sent, journal
        self.closed = False

    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> None:
        self.sent.append(Record(topic, 0, len(self.sent), 0, key, value, headers))
        self.journal.append("send")

    def flush(self) -> None:
        if FakeProducer.failures:
            FakeProducer.failures -= 1
            raise DeliveryError("1 records not acknowledged")
        self.journal.append("flush")

    def close(self) -> None:
        self.closed = True


class FakeStop(Stop):
    """Waits no time; ``during_wait`` is called instead, with the count of waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.during_wait = lambda count: None

    def wait(self, timeout: float) -> bool:
        self.waits.append(timeout)
        assert len(self.waits) < 50, "waits for ever"
        self.during_wait(len(self.waits))
        return self.requested


class Bench:
    """A scorer with everything around it in memory."""

    def __init__(self, runner: asyncio.Runner, tracer: Tracer = UNTRACED, **settings: Any) -> None:
        FakeProducer.failures = 0
        self.journal: list[str] = []
        self.sent: list[Record] = []
        self.registry = CollectorRegistry()
        self.model, self.stop = FakeModel(), FakeStop()
        self.consumer = FakeConsumer(self.journal)
        self.serving = Serving("ml")
        self.beats = self.joins = self.away = 0
        self.now, self.now_us = 1_000.0, 3_000_000
        self.producers: list[FakeProducer] = []
        chosen, metrics = Settings(**settings), Metrics(self.registry)
        self.models = ShadowClient(
            chosen, self.model, self.serving, metrics, runner.run, clock=lambda: self.now
        )
        retry = Backoff(chosen.retry_first_seconds, chosen.retry_longest_seconds, draw=max)
        outbox = Outbox(
            self._open,
            self.stop.wait,
            failed=metrics.undelivered.inc,
            backoff=Backoff(1.0, 20.0, draw=max),
            clock=lambda: sum(self.stop.waits),
            now_us=lambda: 3_000_000,
        )
        self.worker = Worker(
            "scorer",
            lambda: Session(
                chosen,
                self._join,
                outbox,
                self.models,
                metrics,
                self.stop,
                beat=self._beat,
                retry=retry,
                now_us=lambda: self.now_us,
                tracer=tracer,
            ),
            self.stop,
            outbox=outbox,
            beat=self._beat,
            failed=metrics.broker_failures.inc,
            backoff=Backoff(draw=max),
        )

    def ready(self) -> dict[str, bool]:
        """What /readyz would say."""
        return {**self.worker.ready(), "model": self.models.answers}

    def rows(self, *rows: FeatureRow, **headers: str) -> None:
        """Let rows come in one poll."""
        self.consumer.add(*[(encode(row), headers) for row in rows])

    def refuse(self, flushes: int) -> None:
        """Let the broker refuse what the next so many flushes bring."""
        FakeProducer.failures = flushes

    def sample(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def _open(self) -> FakeProducer:
        self.producers.append(FakeProducer(self.sent, self.journal))
        return self.producers[-1]

    def _join(self, came: Any, went: Any) -> FakeConsumer:
        self.joins += 1
        if self.away:
            self.away -= 1
            raise KafkaTimeoutError("no broker")
        came([Partition("features", number) for number in range(4)])
        return self.consumer

    def _beat(self) -> None:
        self.beats += 1


@pytest.fixture
def bench():
    """Makes benches, all in one event loop of this test."""
    with asyncio.Runner() as runner:
        yield lambda **settings: Bench(runner, **settings)


@pytest.fixture
def make_row():
    """Makes rows."""
    return feature_row


@pytest.fixture
def make_info():
    """Makes what models say of themselves."""
    return info_of


@pytest.fixture
def away():
    """What a model that is away raises."""
    return ModelAway("no answer")

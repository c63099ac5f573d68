"""One trace from the socket to the outcome: all services' own objects, a real Apache Kafka."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from featurizer import config as featurizer_config
from featurizer import service as featurizer_service
from ingestor import config as ingestor_config
from ingestor.metrics import Metrics as IngestorMetrics
from ingestor.service import Service
from ingestor.topics import OUTCOMES, TOPICS
from monitor import config as monitor_config
from monitor.http.board import Board
from monitor.metrics import MonitorMetrics
from monitor.service import Reading
from plumbing.exposition import exposition
from plumbing.kafka import KafkaSettings, Outbox, Producer, Reader, Record, ensure_topics
from plumbing.stop import Stop
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.trace import Tracer
from plumbing.tracing.tracer import open_tracer
from scorer import config as scorer_config
from scorer import service as scorer_service
from tests.ingestor.test_service import Exchange, sends
from tests.ingestor.wire import Wire
from tests.integration.collector import Collector, Told
from tests.serving.fake_v2 import FakeV2
from tests.waiting import eventually, patience

pytestmark = pytest.mark.kafka

OPEN_METRICS = "application/openmetrics-text;version=1.0.0"
STEPS = ["outcome", "publish", "score", "featurize", "ingest"]
SECONDS = 65


def frames() -> list[bytes]:
    """A little more than a horizon of event time: a quote and a heartbeat each second."""
    wire, made = Wire(), []
    for second in range(SECONDS):
        made.append(wire.ticker(second + 0.2, bid=100.0 + second % 3))
        made.append(wire.heartbeat(second + 0.9))
    return made


@dataclass
class Part:
    """A process within this one."""

    registry: CollectorRegistry
    stop: Stop
    tracer: Tracer
    ready: Callable[[], Mapping[str, bool]] = dict

    def beat(self) -> None:
        """Nobody asks whether it lives."""


class World:
    """All services in threads of this process, each with a registry and a tracer of its own."""

    def __init__(self, kafka: KafkaSettings, collector: Collector, model: FakeV2) -> None:
        self.kafka, self.model = kafka, model
        self.settings = TraceSettings(exporter_otlp_endpoint=collector.url)
        self.registries = {
            name: CollectorRegistry() for name in ("ingestor", "featurizer", "scorer")
        }
        self.stop = Stop()
        self.opened = ExitStack()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start from the end, so that nothing is missed; end from the beginning."""
        ensure_topics(self.kafka, TOPICS)
        with self.opened:
            for part in (self.monitor, self.scorer, self.featurizer, self.ingestor):
                part()
            yield
            self.stop.request()

    def tracer(self, service: str) -> Tracer:
        tracer = open_tracer(service, self.settings)
        self.opened.callback(tracer.close)
        return tracer

    def thread(self, run: Callable[[], object]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def ended() -> None:
            self.stop.request()
            thread.join(patience())
            assert not thread.is_alive()

        self.opened.callback(ended)

    def monitor(self) -> None:
        tracer, metrics = self.tracer("monitor"), MonitorMetrics(CollectorRegistry())
        reading = Reading(
            monitor_config.Settings(),
            self.kafka,
            Board(),
            metrics,
            lambda batch: None,
            lambda record: None,
            tracer,
        )
        reading.worker.start()
        self.opened.callback(reading.close)
        eventually(lambda: reading.worker.rebuilt)

    def part(self, service: str) -> "Part":
        """Return what a service's process would have, with metrics and traces of its own."""
        return Part(self.registries[service], self.stop, self.tracer(service))

    def scorer(self) -> None:
        part = self.part("scorer")
        settings = scorer_config.Settings(model_url=self.model.url, follow_control=False)

        def run() -> None:
            with ExitStack() as opened:
                scorer_service.open_worker(settings, self.kafka, part, opened).run()

        self.thread(run)

    def featurizer(self) -> None:
        part = self.part("featurizer")
        worker = featurizer_service.open_worker(featurizer_config.Settings(), self.kafka, part)
        self.thread(worker.run)

    def ingestor(self) -> None:
        tracer = self.tracer("ingestor")

        async def serve_and_read() -> None:
            async with Exchange(sends(*frames())).serve() as server:
                port = server.sockets[0].getsockname()[1]
                settings = ingestor_config.Settings(ws_url=f"ws://127.0.0.1:{port}")
                metrics = IngestorMetrics(self.registries["ingestor"], settings.product_ids)
                outbox = Outbox(lambda: Producer(self.kafka), self.stop.wait)
                service = Service(settings, outbox, Stop(), metrics, self.stop, tracer=tracer)
                await service.run()
                outbox.close()

        self.thread(lambda: asyncio.run(serve_and_read()))

    def outcomes(self) -> list[Record]:
        """All records of the topic `outcomes`."""
        reader, found = Reader(self.kafka, [OUTCOMES.name]), []
        try:
            eventually(lambda: sum(reader.ends().values()) > 0)
            eventually(lambda: bool(found.extend(reader.poll(0.2)) or found))
            return found
        finally:
            reader.close()


def test_one_trace_leads_from_the_socket_to_the_outcome(kafka_settings: KafkaSettings) -> None:
    """Each span is the child of the one before it, over four services and three topics."""
    collector, model = Collector(), FakeV2()
    world = World(kafka_settings, collector, model)
    try:
        with world.running():
            outcome = world.outcomes()[0]
        trace_id = outcome.headers["traceparent"].split("-")[1]
        [last] = [span for span in collector.trace(trace_id) if span.name == "outcome"]
        line = collector.lineage(last)
        assert [span.name for span in line] == STEPS
        assert [span.service for span in line] == [
            "monitor",
            "scorer",
            "scorer",
            "featurizer",
            "ingestor",
        ]
        assert outcome.headers["traceparent"].split("-")[2] == last.span_id
        assert all(span.start_ns <= span.end_ns for span in line)
        _check_model_calls(collector, line[2], model)
        _check_exemplars(collector, world)
    finally:
        collector.close()
        model.close()


def _check_model_calls(collector: Collector, score: Told, model: FakeV2) -> None:
    """Both variants' requests stand in the trace of their batch, and the model was told so."""
    shown = score.links[0] if score.links else score.trace_id
    calls = [span for span in collector.trace(shown) if span.name == "infer"]
    paths = {span.attributes["url.path"] for span in calls}
    assert paths == {"/v2/models/ml/infer", "/v2/models/baseline/infer"}
    told = {header.split("-")[2] for header in model.traceparents if header}
    assert {span.span_id for span in calls} <= told


def _check_exemplars(collector: Collector, world: World) -> None:
    """Each service's stages lead to traces that the collector has."""
    for service, registry in world.registries.items():
        _, body = exposition(registry, OPEN_METRICS)
        name = f"{service}_stage_duration_seconds_bucket"
        lines = [line for line in body.decode().splitlines() if line.startswith(name)]
        marked = [line.partition('# {trace_id="')[2][:32] for line in lines if " # {" in line]
        assert marked and all(collector.trace(trace_id) for trace_id in marked), service

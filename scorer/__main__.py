"""``python -m scorer``: topic ``features`` → model → topic ``predictions``."""

import asyncio
import sys
from contextlib import ExitStack
from functools import partial

from prometheus_client import REGISTRY

from ingestor.topics import CONTROL, DEAD_LETTERS, FEATURES, PREDICTIONS
from plumbing.kafka import GroupConsumer, KafkaSettings, Producer, topics_stand
from plumbing.logs import configure, get_logger
from plumbing.probes import Probes
from plumbing.stop import Stop
from plumbing.tracing.settings import TraceSettings
from plumbing.tracing.tracer import open_tracer
from scorer.config import ScorerSettings
from scorer.delivery import Delivery
from scorer.metrics import Metrics
from scorer.service import Moved, Scorer
from scorer.shadow_client import ShadowClient
from serving.client import V2Client
from serving.control import Serving
from serving.follower import Follower, open_control

STALLED_SECONDS = 300.0
"""Above the two minutes that Kafka's producer may take for a delivery."""


def main() -> int:
    """Open, score until SIGTERM or SIGINT, close; give the exit code."""
    settings, kafka = ScorerSettings(), KafkaSettings()
    configure("scorer", settings.log_level)
    stop = Stop().install()
    with ExitStack() as opened:
        scorer = open_scorer(settings, kafka, stop, opened)
        if scorer is not None:
            get_logger().info("scorer.started", model_url=settings.model_url)
            scorer.run()
    get_logger().info("scorer.stopped")
    return 0


def open_scorer(
    settings: ScorerSettings, kafka: KafkaSettings, stop: Stop, opened: ExitStack
) -> Scorer | None:
    """Open what the scorer needs; ``opened`` closes it again, last first.

    Waits for the broker; None where the end was wished for meanwhile.
    """
    metrics, serving = Metrics(REGISTRY), Serving(settings.variant)
    scorers: list[Scorer] = []
    probes = Probes(
        settings.host,
        settings.port,
        REGISTRY,
        lambda: scorers[0].ready() if scorers else {"kafka": False, "model": False},
        stalled_after=STALLED_SECONDS,
    )
    probes.start()
    opened.callback(probes.close)
    topics = [FEATURES, PREDICTIONS, DEAD_LETTERS, CONTROL]
    if not topics_stand(kafka, topics, wait=stop.wait, beat=probes.beat):
        return None
    if settings.follow_control:
        follower = Follower(serving, partial(open_control, kafka)).start()
        opened.callback(follower.stop)
        metrics.control_followed.set_function(lambda: follower.connected)
    runner = opened.enter_context(asyncio.Runner())
    tracer = open_tracer("scorer", TraceSettings())
    opened.callback(tracer.close)
    client = V2Client(settings.model_url, tracer=tracer)
    runner.run(client.__aenter__())
    opened.callback(lambda: runner.run(client.__aexit__(None, None, None)))
    models = ShadowClient(settings, client, serving, metrics, runner.run)
    delivery = Delivery(partial(Producer, kafka), metrics, wait=stop.wait)
    opened.callback(delivery.close)
    open_consumer = partial(_consumer, kafka, settings.group)
    scorer = Scorer(
        settings, open_consumer, delivery, models, metrics, stop, beat=probes.beat, tracer=tracer
    )
    opened.callback(scorer.close)
    scorers.append(scorer)
    return scorer


def _consumer(kafka: KafkaSettings, group: str, came: Moved, went: Moved) -> GroupConsumer:
    return GroupConsumer(kafka, [FEATURES.name], group, on_assigned=came, on_revoked=went)


if __name__ == "__main__":
    sys.exit(main())

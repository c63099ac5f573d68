"""``python -m scorer``: topic ``features`` → model → topic ``predictions``."""

from contextlib import ExitStack

from prometheus_client import REGISTRY

from plumbing.kafka import KafkaSettings
from plumbing.process import Process
from scorer.config import Settings
from scorer.service import open_worker

STALLED_SECONDS = 300.0
"""Above the two minutes that Kafka's producer may take for a delivery."""


def main() -> None:
    """Settings → open → loop → close."""
    settings = Settings()
    process = Process("scorer", settings, registry=REGISTRY, stalled_after=STALLED_SECONDS)
    with process, ExitStack() as opened:
        open_worker(settings, KafkaSettings(), process, opened).run()


if __name__ == "__main__":
    main()

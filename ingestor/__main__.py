"""``python -m ingestor``: the Coinbase WebSocket into the topic ``ticks``."""

import sys

from ingestor.config import Settings
from ingestor.service import run
from plumbing.kafka import KafkaSettings
from plumbing.logs import configure

if __name__ == "__main__":
    settings = Settings()
    configure("ingestor", settings.log_level)
    sys.exit(run(settings, KafkaSettings()))

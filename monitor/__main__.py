"""``python -m monitor``."""

import asyncio
import sys

from prometheus_client import REGISTRY

from monitor.config import MonitorSettings
from monitor.service import run
from plumbing.kafka import KafkaSettings
from plumbing.logs import configure, get_logger

if __name__ == "__main__":
    settings = MonitorSettings()
    configure("monitor", settings.log_level)
    try:
        asyncio.run(run(settings, KafkaSettings(), REGISTRY))
    except OSError as exc:
        get_logger().error(
            "monitor.not_listening", host=settings.host, port=settings.port, reason=str(exc)
        )
        sys.exit(1)

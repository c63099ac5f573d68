"""``python -m ingestor``: Coinbase's WebSocket into ``ticks``; ``topics`` only makes the topics."""

import argparse
import sys
from collections.abc import Sequence

from ingestor.config import Settings
from ingestor.service import run
from ingestor.topics import TOPICS
from plumbing.kafka import KafkaSettings, ensure_topics
from plumbing.logs import configure, get_logger


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says and give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ingestor", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("topics", help="make the topics that are missing, and end")
    options = parser.parse_args(arguments)
    settings, kafka = Settings(), KafkaSettings()
    configure("ingestor", settings.log_level)
    return run(settings, kafka) if options.command is None else make_topics(kafka)


def make_topics(kafka: KafkaSettings) -> int:
    """Make the topics that are missing and say how each is made; 1 if the broker refuses."""
    log = get_logger()
    try:
        ensure_topics(kafka, TOPICS)
    except Exception as exc:
        log.error("topics.failed", brokers=kafka.bootstrap_servers, reason=repr(exc))
        return 1
    for topic in TOPICS:
        log.info(
            "topics.standing",
            topic=kafka.topic_prefix + topic.name,
            partitions=topic.partitions,
            retention_ms=topic.retention_ms,
            compacted=topic.compacted,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

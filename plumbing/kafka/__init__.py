"""Kafka behind a narrow port: all that shells may use.

The prefix of topics and groups is put on and taken off behind it; callers never see it.
"""

from kafka.errors import KafkaError as BrokerError  # type: ignore[import-untyped]

from plumbing.kafka.group import COMMIT_SECONDS, GroupConsumer, Moved
from plumbing.kafka.outbox import Outbox, Outgoing
from plumbing.kafka.patience import persist, topics_stand
from plumbing.kafka.positions import CHANGES, TopicChanged
from plumbing.kafka.producer import DeliveryError, Producer
from plumbing.kafka.reachable import trouble_of
from plumbing.kafka.reader import Reader
from plumbing.kafka.records import Partition, PassedOver, Record, message_of
from plumbing.kafka.topics import (
    TopicError,
    TopicLike,
    ensure_topics,
    remove_topics,
    require_topics,
)
from plumbing.kafka.worker import Worker, always
from plumbing.settings import KafkaSettings

__all__ = [
    "CHANGES",
    "COMMIT_SECONDS",
    "BrokerError",
    "DeliveryError",
    "GroupConsumer",
    "KafkaSettings",
    "Moved",
    "Outbox",
    "Outgoing",
    "Partition",
    "PassedOver",
    "Producer",
    "Reader",
    "Record",
    "TopicChanged",
    "TopicError",
    "TopicLike",
    "Worker",
    "always",
    "ensure_topics",
    "message_of",
    "persist",
    "remove_topics",
    "require_topics",
    "topics_stand",
    "trouble_of",
]

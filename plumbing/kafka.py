"""Kafka behind a narrow port: all that shells may use.

The prefix of topics and groups is put on and taken off behind it; callers never see it.
"""

from kafka.errors import KafkaError as BrokerError  # type: ignore[import-untyped]

from plumbing.group import GroupConsumer
from plumbing.patience import persist, topics_stand
from plumbing.producer import DeliveryError, Producer
from plumbing.reader import Reader
from plumbing.records import Partition, Record
from plumbing.settings import KafkaSettings
from plumbing.topics import TopicError, TopicLike, ensure_topics, require_topics

__all__ = [
    "BrokerError",
    "DeliveryError",
    "GroupConsumer",
    "KafkaSettings",
    "Partition",
    "Producer",
    "Reader",
    "Record",
    "TopicError",
    "TopicLike",
    "ensure_topics",
    "persist",
    "require_topics",
    "topics_stand",
]

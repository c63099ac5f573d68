"""Writes the topic ``control`` and reads what stands in it."""

import time
from typing import Final

import msgspec

from ingestor.topics import CONTROL
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from serving.control import KEY, Control, Serving, encode, variant_named
from serving.follower import open_control, read_to, standing

READ_SECONDS: Final = 10.0


def write_control(settings: KafkaSettings, name: str, by: str, now_us: int) -> Control:
    """Let a variant serve; ``now_us`` is the wall clock in epoch microseconds.

    Raises:
        UnknownVariant: no such variant; nothing was written.
        DeliveryError: the broker did not take it.
    """
    control = Control(variant=variant_named(name), changed_by=by, changed_us=now_us)
    ensure_topics(settings, [CONTROL])
    producer = Producer(settings)
    try:
        producer.send(CONTROL.name, KEY, encode(control))
        producer.flush()
    finally:
        producer.close()
    return control


def read_control(settings: KafkaSettings) -> Control | None:
    """Return what the topic says now, or None where it says nothing.

    Raises:
        TimeoutError: it could not be read to its end.
    """
    serving, reader = Serving("ml"), open_control(settings)
    try:
        unread, until = standing(reader), time.monotonic() + READ_SECONDS
        while unread:
            if time.monotonic() > until:
                raise TimeoutError(f"not read to its end within {READ_SECONDS} s")
            for record in reader.poll(0.2):
                _take(serving, record.key, record.value)
                read_to(unread, record)
    finally:
        reader.close()
    return serving.last


def _take(serving: Serving, key: str, value: bytes) -> None:
    try:
        serving.take(key, value)
    except msgspec.DecodeError:
        return  # as the followers do: what cannot be read changes nothing

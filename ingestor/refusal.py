"""A record that cannot be used goes to ``dead-letters`` instead of on."""

from msgspec.structs import replace

from ingestor.dead_letter import REASON_LIMIT, DeadLetter, dead_letter, encode
from ingestor.topics import DEAD_LETTERS
from plumbing.kafka import Outgoing, Record
from plumbing.logs import get_logger
from plumbing.tracing.trace import child_of, headers_of


def posted(letter: DeadLetter, key: str, traceparent: str | None = None) -> Outgoing:
    """Return the record of a letter, in the trace of what was refused, if it had one."""
    headers = headers_of(child_of(traceparent))
    return Outgoing(DEAD_LETTERS.name, key, encode(letter), headers)


def refusal(source: str, record: Record, reason: str, now_us: int) -> Outgoing:
    """Log that a record is refused and return its letter; ``now_us`` is the wall clock."""
    get_logger().warning(
        "record.refused",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=reason[:REASON_LIMIT],
    )
    key = record.key
    letter = replace(
        dead_letter(source, reason, record.value, now_us, product_id=key or None),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
    return posted(letter, key, record.headers.get("traceparent"))

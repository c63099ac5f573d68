"""The topics: partitions, retention and clean-up, stated once for local, compose and chart.

Where the size of a broker's volume is known, also how much of it each topic may take. Kafka
bounds a *partition*, and drops closed segments only: a partition holds up to its
``retention.bytes`` and the segment being written, and for a minute one that was just dropped.
A product lies in one partition of twelve, so a topic's share is divided among the partitions
that hold something, and divided anew when another product comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
FOREVER_MS: Final = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it is made; ``retention_ms`` of -1 means for ever."""

    name: str
    retention_ms: int
    partitions: int = 12  # few product keys fall badly on few partitions
    compacted: bool = False


TICKS: Final = Topic("ticks", retention_ms=30 * DAY_MS)
FEED_EVENTS: Final = Topic("feed-events", retention_ms=90 * DAY_MS, partitions=1)
FEATURES: Final = Topic("features", retention_ms=14 * DAY_MS)
LEVELS: Final = Topic("levels", retention_ms=30 * DAY_MS)
MINUTES: Final = Topic("minutes", retention_ms=30 * DAY_MS)  # as long as ticks
PREDICTIONS: Final = Topic("predictions", retention_ms=90 * DAY_MS)
OUTCOMES: Final = Topic("outcomes", retention_ms=90 * DAY_MS)
SIGNALS: Final = Topic("signals", retention_ms=90 * DAY_MS)
CONTROL: Final = Topic("control", retention_ms=FOREVER_MS, partitions=1, compacted=True)
DEAD_LETTERS: Final = Topic("dead-letters", retention_ms=90 * DAY_MS, partitions=1)
DICTIONARIES: Final = Topic("dictionaries", retention_ms=FOREVER_MS, partitions=1, compacted=True)
"""By which records of ``PACKED`` are packed (``plumbing.kafka.dictionary_topic``): they are kept
as long as any such record."""

TOPICS: Final = (
    *(TICKS, FEED_EVENTS, FEATURES, LEVELS, MINUTES),
    *(PREDICTIONS, OUTCOMES, SIGNALS, CONTROL, DEAD_LETTERS, DICTIONARIES),
)
PACKED: Final = tuple(topic.name for topic in (TICKS, FEATURES, PREDICTIONS, OUTCOMES))

USABLE: Final = 0.8
"""Of the volume: the rest is for a broker that starts, reassigns or finds its offsets grown."""
RESERVED_BYTES: Final = 400 * 2**20
"""For the offsets of groups (8 partitions, segments of 16 MiB, two at most beside a cleaning)
and the brokers' own log (segments of 32 MiB, one snapshot)."""
LEAST_SEGMENT: Final = 2**20
"""The smallest that Kafka takes."""
MOST_SEGMENT: Final = 256 * 2**20
LEAST_PARTITION: Final = 3 * LEAST_SEGMENT
SEGMENTS: Final = 16
"""In a bound: two of them stand empty for the one being written and the one being dropped."""

BYTES_A_TICK: Final = {TICKS: 138, FEATURES: 254, PREDICTIONS: 219, OUTCOMES: 92}
"""On the log beside its index, of BTC-USD at the rate of a live feed, packed by dictionaries
(docs/architecture.md)."""
DAYS: Final = 30
"""What is kept longer by time is weighed as if it were so many days."""
SMALL: Final = {FEED_EVENTS: 0.02, DEAD_LETTERS: 0.02, LEVELS: 0.03, MINUTES: 0.03, SIGNALS: 0.03}
"""Shares of what grows with faults and with products, not with ticks."""

_weights: Final = {
    topic: size * min(topic.retention_ms, DAYS * DAY_MS) for topic, size in BYTES_A_TICK.items()
}
SHARES: Final = SMALL | {
    topic: (1 - sum(SMALL.values())) * weight / sum(_weights.values())
    for topic, weight in _weights.items()
}
"""Of what may be used, by topic: they sum to one. What is compacted has no bound."""


class VolumeTooSmall(Exception):
    """The volume cannot hold the smallest segments of all partitions."""


def bounds(volume_bytes: int, used: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Return what each topic may keep, in time, in bytes and in segments, as Kafka names them.

    ``used``: partitions of each topic that ever held something; unknown ones count as one.

    >>> bounds(10 * 2**30, {"feed-events": 1})["feed-events"]["retention.bytes"]
    '142983823'

    Raises:
        VolumeTooSmall: a partition would be left fewer than three of the smallest segments.
    """
    room = int(USABLE * volume_bytes) - RESERVED_BYTES
    made = {}
    for topic, share in SHARES.items():
        partitions = max(1, min(used.get(topic.name, 1), topic.partitions))
        each = int(room * share / partitions)
        if each < LEAST_PARTITION:
            raise VolumeTooSmall(
                f"found a volume of {volume_bytes / 2**30:.2f} GiB, of which {each} bytes would be"
                f" for each of {partitions} partitions of {topic.name}, expected"
                f" {LEAST_PARTITION} at least: enlarge the volume"
            )
        segment = max(LEAST_SEGMENT, min(each // SEGMENTS, MOST_SEGMENT))
        made[topic.name] = {
            "retention.ms": str(topic.retention_ms),
            "retention.bytes": str(each - 2 * segment),
            "segment.bytes": str(segment),
        }
    return made


def most_bytes(limits: Mapping[str, Mapping[str, str]], used: Mapping[str, int]) -> int:
    """Return what the topics hold at most under these bounds."""
    return sum(
        used.get(name, 1) * (int(each["retention.bytes"]) + 2 * int(each["segment.bytes"]))
        for name, each in limits.items()
    )

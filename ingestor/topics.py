"""The topics: partitions, retention and clean-up, stated once for local, compose and chart."""

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


TICKS: Final = Topic("ticks", retention_ms=14 * DAY_MS)
FEED_EVENTS: Final = Topic("feed-events", retention_ms=90 * DAY_MS, partitions=1)
FEATURES: Final = Topic("features", retention_ms=14 * DAY_MS)
MINUTES: Final = Topic("minutes", retention_ms=TICKS.retention_ms)
LEVELS: Final = Topic("levels", retention_ms=30 * DAY_MS)
PREDICTIONS: Final = Topic("predictions", retention_ms=90 * DAY_MS)
OUTCOMES: Final = Topic("outcomes", retention_ms=90 * DAY_MS)
CONTROL: Final = Topic("control", retention_ms=FOREVER_MS, partitions=1, compacted=True)
DEAD_LETTERS: Final = Topic("dead-letters", retention_ms=90 * DAY_MS, partitions=1)

TOPICS: Final = (
    TICKS,
    FEED_EVENTS,
    FEATURES,
    MINUTES,
    LEVELS,
    PREDICTIONS,
    OUTCOMES,
    CONTROL,
    DEAD_LETTERS,
)

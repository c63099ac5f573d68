"""Trying again, with growing delays, what needs a broker that may be away."""

import math
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from kafka.errors import KafkaConfigurationError, KafkaError  # type: ignore[import-untyped]

from plumbing.kafka.topics import TopicError, TopicLike, ensure_topics
from plumbing.logs import get_logger
from plumbing.settings import KafkaSettings

FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 5.0
PASSING: Final = (KafkaError, TopicError, OSError)
"""What may be well a moment later."""


def persist(
    attempt: Callable[[], object],
    *,
    wait: Callable[[float], bool],
    failed: Callable[[Exception, float], None],
    timeout: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Attempt until it works: true; false where the end was wished for before that.

    ``wait`` waits for so many seconds and says whether the end is wished for; ``failed`` is
    told each failure and the delay after it. ``timeout`` is in seconds; an attempt under way
    is not cut short by it.

    Raises:
        Exception: the last failure, where the time is over, or one that waiting cannot mend.
    """
    until, delay = clock() + timeout, FIRST_DELAY
    while True:
        try:
            attempt()
            return True
        except KafkaConfigurationError:
            raise
        except PASSING as exc:
            if clock() + delay > until:
                raise
            failed(exc, delay)
        if wait(delay):
            return False
        delay = min(2 * delay, LONGEST_DELAY)


def topics_stand(
    settings: KafkaSettings,
    topics: Iterable[TopicLike],
    *,
    wait: Callable[[float], bool],
    beat: Callable[[], None],
) -> bool:
    """Make the topics that are missing, as soon as the broker is there; false at the end.

    ``wait`` is as in ``persist``; ``beat`` is called after each attempt that failed.
    """

    def failed(exc: Exception, delay: float) -> None:
        beat()
        brokers = settings.bootstrap_servers
        get_logger().error("broker.away", brokers=brokers, reason=repr(exc), retry_seconds=delay)

    return persist(partial(ensure_topics, settings, list(topics)), wait=wait, failed=failed)

"""Trying again, with growing delays, what needs a broker that may be away."""

import math
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from kafka.errors import KafkaConfigurationError, KafkaError  # type: ignore[import-untyped]

from plumbing.backoff import BACKOFF, Backoff
from plumbing.kafka.producer import DeliveryError
from plumbing.kafka.reachable import trouble_of
from plumbing.kafka.topics import TopicError, TopicLike, ensure_topics
from plumbing.logs import get_logger
from plumbing.settings import KafkaSettings

PASSING: Final = (KafkaError, TopicError, DeliveryError, OSError)


def passes(exc: Exception) -> bool:
    """Return whether waiting may mend it: the broker is away, or a topic is not there yet."""
    return isinstance(exc, PASSING) and not isinstance(exc, KafkaConfigurationError)


def persist(
    attempt: Callable[[], object],
    *,
    wait: Callable[[float], bool],
    failed: Callable[[Exception, float], None],
    timeout: float = math.inf,
    backoff: Backoff = BACKOFF,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Attempt until it works: true; false where the end was wished for before that.

    ``wait`` waits for so many seconds and says whether the end is wished for; ``failed`` is
    told each failure and the delay after it. ``timeout`` is in seconds; an attempt under way
    is not cut short by it.

    Raises:
        Exception: the last failure, where the time is over, or one that waiting cannot mend.
    """
    until = clock() + timeout
    for delay in backoff:
        try:
            attempt()
            return True
        except Exception as exc:
            if not passes(exc) or clock() + delay > until:
                raise
            failed(exc, delay)
        if wait(delay):
            break
    return False


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
        get_logger().error(
            "broker.away",
            brokers=brokers,
            reason=repr(exc),
            unreachable=trouble_of(settings),
            retry_seconds=delay,
        )

    return persist(partial(ensure_topics, settings, list(topics)), wait=wait, failed=failed)

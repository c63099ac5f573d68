"""Asking a broker for offsets, also while a partition gets another leader."""

from collections.abc import Callable, Sequence
from typing import Final

from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import KafkaTimeoutError  # type: ignore[import-untyped]

CALL_TIMEOUT_MS: Final = 30_000
OFFSETS_TRY_MS: Final = 3_000


def offsets_of(
    consumer: KafkaConsumer,
    ask: Callable[..., dict[TopicPartition, int]],
    wanted: Sequence[TopicPartition],
    within_ms: int = CALL_TIMEOUT_MS,
) -> dict[TopicPartition, int]:
    """Return what the consumer's ``beginning_offsets`` or ``end_offsets`` says of partitions.

    Once a partition has another leader, kafka-python 3.0.12 asks the one before again and
    again without a pause, until its time is over: so it gets a short one, and a new look at
    who leads.

    Raises:
        KafkaTimeoutError: no answer within ``within_ms``.
    """
    for left in reversed(range(within_ms // OFFSETS_TRY_MS)):
        try:
            return ask([*wanted], timeout_ms=OFFSETS_TRY_MS)
        except KafkaTimeoutError:
            if not left:
                raise
            consumer._cluster.request_update()
    raise KafkaTimeoutError(f"found {within_ms} ms, expected {OFFSETS_TRY_MS} at least")

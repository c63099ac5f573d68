"""Reading as a member of a consumer group."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from kafka import (  # type: ignore[import-untyped]
    ConsumerRebalanceListener,
    KafkaConsumer,
    TopicPartition,
)
from kafka.errors import KafkaError  # type: ignore[import-untyped]

from plumbing.kafka.dictionary_topic import dictionaries_of
from plumbing.kafka.offsets import CALL_TIMEOUT_MS, OFFSETS_TRY_MS
from plumbing.kafka.opening import opened
from plumbing.kafka.positions import Changed, Positions, TopicChanged, unheard
from plumbing.kafka.reader import (
    SHORTEST_POLL_MS,
    bounds_of,
    committed,
    consuming,
    identified,
    next_offset,
    position_of,
)
from plumbing.kafka.records import Names, Partition, Record
from plumbing.logs import get_logger
from plumbing.settings import KafkaSettings

JOINING_POLL_MS: Final = 1_000
LEAVING_MS: Final = 3_000
COMMIT_SECONDS: Final = 1.0
"""Between commits of a stream: each costs as much as a batch, on the broker's disk as well."""


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what happened; kafka-python calls it on its network thread, where nothing may block."""

    def __init__(self) -> None:
        self.seen: deque[tuple[bool, list[TopicPartition]]] = deque()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.seen.append((False, sorted(revoked)))

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.seen.append((True, sorted(assigned)))


Moved = Callable[[Sequence[Partition]], None]
"""Told of partitions that came, or of those that went."""


class GroupConsumer:
    """A member of a consumer group that commits by hand; one thread only.

    The callbacks run inside ``poll``, in the caller's thread, before the records that follow
    the change are given out. ``on_revoked`` comes when the partitions are already gone:
    what was not committed by then is read again, by whoever has them now. That is as much as
    ``commit_seconds`` after the last commit: within them commits are put together.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[str],
        group: str,
        *,
        on_assigned: Moved | None = None,
        on_revoked: Moved | None = None,
        changed: Changed = unheard,
        fetch_max_wait_ms: int = 100,
        commit_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = Names(settings.topic_prefix, dictionaries_of(settings).find)
        self._topics = tuple(topics)
        self._commit_seconds, self._clock = commit_seconds, clock
        self._settled: dict[Partition, int] = {}
        self._next_commit = clock()
        self._on_assigned, self._on_revoked = on_assigned, on_revoked
        self._joined = False
        self._arriving: dict[Partition, int] = {}
        self._consumed = Positions(changed)
        self._kept: list[Record] = []
        self._rebalances = _Rebalances()
        self._raw = opened(
            KafkaConsumer,
            **consuming(settings, fetch_max_wait_ms),
            group_id=settings.topic_prefix + group,
        )
        self._raw.subscribe(
            [settings.topic_prefix + topic for topic in topics], listener=self._rebalances
        )

    @property
    def joined(self) -> bool:
        """True once the group has given this member its partitions, be they none."""
        return self._joined

    def poll(self, timeout: float) -> list[Record]:
        """Return the next records, or [] after ``timeout`` seconds (longer while joining).

        Raises:
            TopicChanged: a topic began anew.
        """
        self._commit_if_due()
        shortest = SHORTEST_POLL_MS if self._joined else JOINING_POLL_MS
        polled = self._raw.poll(timeout_ms=max(int(timeout * 1000), shortest))
        self._keep_joining()
        records = self._kept + self._names.records(polled)
        self._kept = []
        self._tell(records)
        try:
            identified(self._raw, self._names, self._consumed, self._topics)
            self._consumed.see(records, self._beginning)
        except TopicChanged:
            self._settled.clear()  # they are offsets of the topic before
            raise
        return records

    def _beginning(self, partition: Partition) -> int:
        ask = self._raw.beginning_offsets
        return bounds_of(self._raw, ask, self._names, [partition])[partition]

    def stay(self) -> None:
        """Remain a member of the group while what was given out is worked on, however long.

        Nothing is given out or told: what happens meanwhile comes with the next ``poll``.
        """
        self._raw.pause(*self._raw.assignment())
        joining = self._raw._coordinator.need_rejoin()
        try:
            polled = self._raw.poll(timeout_ms=JOINING_POLL_MS if joining else SHORTEST_POLL_MS)
            self._keep_joining()
        finally:
            self._raw.resume(*self._raw.paused())
        self._kept += self._names.records(polled)

    def position(self, partition: Partition) -> int:
        """Return the offset that will be given out next: the committed one, or the beginning."""
        arriving = self._arriving.get(partition)
        if arriving is not None:
            return arriving
        return position_of(self._raw, self._names, partition)

    def commit(self, positions: Mapping[Partition, int] | None = None) -> bool:
        """Commit next offsets, by default all that ``poll`` has given out; false if that fails.

        Sooner after the last commit than ``commit_seconds`` they wait for their time, for the
        next ``poll`` or for ``close``. Partitions that have moved on meanwhile are left alone:
        their new owner reads again.
        """
        self._settled |= self._consumed.known() if positions is None else positions
        return self._commit_if_due()

    def _commit_if_due(self) -> bool:
        return self._clock() < self._next_commit or self._commit_settled()

    def _commit_settled(self, within_ms: int = CALL_TIMEOUT_MS) -> bool:
        mine = set(self.assignment())
        self._settled = {p: offset for p, offset in self._settled.items() if p in mine}
        offsets = {self._names.out(p): next_offset(to) for p, to in self._settled.items()}
        if not offsets:
            return True
        if not committed(self._raw, offsets, within_ms):
            return False
        self._settled = {}
        self._next_commit = self._clock() + self._commit_seconds
        return True

    def assignment(self) -> list[Partition]:
        """Return the partitions this member has now."""
        return sorted(map(self._names.back, self._raw.assignment()), key=str)

    def close(self) -> None:
        """Leave the group; what was put together is committed, and no more."""
        self._commit_settled(LEAVING_MS)
        self._raw.close(autocommit=False, timeout_ms=LEAVING_MS)

    def _compare(self, partitions: Sequence[Partition]) -> None:
        """Say where what was committed is not in the topic; nothing waits long for that."""
        short = OFFSETS_TRY_MS
        try:
            begins = bounds_of(
                self._raw, self._raw.beginning_offsets, self._names, partitions, short
            )
            ends = bounds_of(self._raw, self._raw.end_offsets, self._names, partitions, short)
            for partition in partitions:
                offset = self._raw.committed(self._names.out(partition), timeout_ms=short)
                if offset is not None:
                    self._consumed.compare(partition, offset, begins[partition], ends[partition])
        except KafkaError as exc:
            get_logger().warning("kafka.positions_unknown", reason=repr(exc))

    def _keep_joining(self) -> None:
        """Let the next poll take up a join that this one left under way.

        kafka-python joins anew when the leader sees partitions appear, but does not note it (as
        Java does since KAFKA-9815): with the leader's assignment made, it would forget the join
        that a poll had no time for, send no heartbeat, and own nothing for ever.
        """
        coordinator = self._raw._coordinator
        if coordinator.rejoining:
            coordinator.request_rejoin()

    def _tell(self, records: Sequence[Record]) -> None:
        for record in reversed(records):
            self._arriving[Partition(record.topic, record.partition)] = record.offset
        while self._rebalances.seen:
            assigned, raw = self._rebalances.seen.popleft()
            self._joined = self._joined or assigned
            partitions = [self._names.back(partition) for partition in raw]
            self._consumed.forget(partitions)
            for partition in partitions:
                self._settled.pop(partition, None)
            if assigned and partitions:
                self._compare(partitions)
            event = "partitions.assigned" if assigned else "partitions.revoked"
            get_logger().info(event, partitions=[f"{p.topic}[{p.number}]" for p in partitions])
            callback = self._on_assigned if assigned else self._on_revoked
            if callback and partitions:
                callback(partitions)
        self._arriving.clear()

"""A look at the broker from outside: its topics, how much they hold, and who lags behind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition  # type: ignore[import-untyped]
from kafka.admin import OffsetSpec  # type: ignore[import-untyped]

from plumbing.kafka.opening import opened
from plumbing.kafka.topics import alter_topics
from plumbing.settings import KafkaSettings

NO_LEADER: Final = -1
UNKNOWN: Final = -1
Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment; topics and groups are those with our prefix, without it.

    ``partitions``, ``log_bytes`` (all replicas together) and ``ends`` (records ever appended)
    are by topic, ``lag`` (records not yet committed) by group and topic, ``members`` by group.
    A partition without a leader is ``offline`` and has no part in ``ends`` and ``lag``.
    ``used`` says how many partitions of a topic ever held something, ``broker_bytes`` what the
    fullest broker's logs hold, all topics; ``usable_bytes`` is the least that is free beside them
    (-1: the broker does not say).
    """

    brokers: int
    offline: int
    under_replicated: int
    partitions: Mapping[str, int] = field(default_factory=dict)
    log_bytes: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)
    lag: Mapping[tuple[str, str], int] = field(default_factory=dict)
    members: Mapping[str, int] = field(default_factory=dict)
    used: Mapping[str, int] = field(default_factory=dict)
    broker_bytes: int = 0
    usable_bytes: int = UNKNOWN


class Cluster:
    """Asks the broker as an administrator does; one thread only."""

    def __init__(self, settings: KafkaSettings, *, timeout: float = 10.0) -> None:
        self._prefix = settings.topic_prefix
        self._admin = opened(
            KafkaAdminClient,
            **settings.client(),
            request_timeout_ms=int(timeout * 1000),
            bootstrap_timeout_ms=int(timeout * 1000),
        )

    def look(self) -> Look:
        """Look once; raises what kafka-python raises where the broker is away."""
        brokers = self._admin.describe_cluster()["brokers"]
        described = self._admin.describe_topics()
        every = [part for topic in described for part in topic["partitions"]]
        ours = {t["name"]: t["partitions"] for t in described if self._is_ours(t["name"])}
        ends, begins = self._offsets(ours)
        groups, dirs = self._groups(), self._log_dirs()
        return Look(
            brokers=len(brokers),
            offline=sum(part["leader_id"] == NO_LEADER for part in every),
            under_replicated=sum(
                len(part["isr_nodes"]) < len(part["replica_nodes"]) for part in every
            ),
            partitions={self._bare(name): len(parts) for name, parts in ours.items()},
            log_bytes=self._log_bytes(dirs),
            ends=self._by_topic(ours, ends),
            lag=self._lag(groups, ends, begins),
            members={self._bare(name): len(group["members"]) for name, group in groups.items()},
            used=self._by_topic(ours, {partition: int(end > 0) for partition, end in ends.items()}),
            broker_bytes=max((sum(map(_bytes, found)) for found in dirs), default=0),
            usable_bytes=min(
                (each.get("usable_bytes", UNKNOWN) for found in dirs for each in found),
                default=UNKNOWN,
            ),
        )

    def bound(self, limits: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Set what is given of standing topics where it differs; return which were altered."""
        named = {self._prefix + name: configs for name, configs in limits.items()}
        return [self._bare(name) for name in alter_topics(self._admin, named)]

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self._prefix) and not name.startswith("__")

    def _bare(self, name: str) -> str:
        return name.removeprefix(self._prefix)

    def _offsets(self, ours: Mapping[str, list[dict[str, Any]]]) -> tuple[Offsets, Offsets]:
        led = [
            TopicPartition(name, part["partition_index"])
            for name, parts in ours.items()
            for part in parts
            if part["leader_id"] != NO_LEADER
        ]
        if not led:
            return {}, {}
        return self._at(led, OffsetSpec.LATEST), self._at(led, OffsetSpec.EARLIEST)

    def _at(self, partitions: Iterable[TopicPartition], spec: Any) -> Offsets:
        found = self._admin.list_partition_offsets(dict.fromkeys(partitions, spec))
        return {partition: int(at.offset) for partition, at in found.items()}

    def _by_topic(self, ours: Iterable[str], offsets: Offsets) -> dict[str, int]:
        sums = dict.fromkeys(map(self._bare, ours), 0)
        for partition, offset in offsets.items():
            sums[self._bare(partition.topic)] += offset
        return sums

    def _log_dirs(self) -> list[list[dict[str, Any]]]:
        """Return the folders of logs of each broker."""
        return [broker["log_dirs"] for broker in self._admin.describe_log_dirs()]

    def _log_bytes(self, brokers: Iterable[list[dict[str, Any]]]) -> dict[str, int]:
        sums: dict[str, int] = {}
        for folders in brokers:
            for topic in (t for log_dir in folders for t in log_dir["topics"]):
                if self._is_ours(topic["name"]):
                    size = sum(part["partition_size"] for part in topic["partitions"])
                    name = self._bare(topic["name"])
                    sums[name] = sums.get(name, 0) + size
        return sums

    def _groups(self) -> dict[str, dict[str, Any]]:
        names = [group["group_id"] for group in self._admin.list_groups()]
        ours = [name for name in names if self._is_ours(name)]
        return dict(self._admin.describe_groups(ours)) if ours else {}

    def _lag(
        self, groups: Mapping[str, dict[str, Any]], ends: Offsets, begins: Offsets
    ) -> dict[tuple[str, str], int]:
        """A partition where nothing was committed yet is read from its beginning."""
        if not groups:
            return {}
        committed = self._admin.list_group_offsets(list(groups))
        lag: dict[tuple[str, str], int] = {}
        for name, group in groups.items():
            offsets = {p: int(at.offset) for p, at in committed.get(name, {}).items()}
            topics = {p.topic for p in offsets} | _assigned(group)
            for partition, end in ends.items():
                if partition.topic in topics:
                    key = self._bare(name), self._bare(partition.topic)
                    at = offsets.get(partition, begins[partition])
                    lag[key] = lag.get(key, 0) + max(0, end - at)
        return lag


def _bytes(log_dir: Mapping[str, Any]) -> int:
    return sum(part["partition_size"] for t in log_dir["topics"] for part in t["partitions"])


def _assigned(group: Mapping[str, Any]) -> set[str]:
    assignments = [member.get("member_assignment") or {} for member in group["members"]]
    return {part["topic"] for found in assignments for part in found.get("assigned_partitions", ())}

"""Creating topics."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Protocol

from kafka import KafkaAdminClient  # type: ignore[import-untyped]
from kafka.admin import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]
from kafka.errors import KafkaError, for_code  # type: ignore[import-untyped]

from plumbing.kafka.opening import opened
from plumbing.logs import get_logger
from plumbing.settings import BOOTSTRAP_TIMEOUT_MS, KafkaSettings

CALL_TIMEOUT_MS: Final = 30_000
TOPIC_ALREADY_EXISTS: Final = 36
CLEANUP: Final = "cleanup.policy"
_told: Final = set[str]()
"""Topics of which this process has said that they are not as stated."""


class TopicError(Exception):
    """A topic is missing or could not be created."""


class TopicLike(Protocol):
    """What a topic is made from."""

    @property
    def name(self) -> str: ...
    @property
    def partitions(self) -> int: ...
    @property
    def retention_ms(self) -> int: ...
    @property
    def compacted(self) -> bool: ...


def ensure_topics(settings: KafkaSettings, topics: Iterable[TopicLike]) -> None:
    """Create the topics that are missing, and wait until all can be used.

    Standing ones are never altered: of one that is cleaned up otherwise than stated it is said.

    Raises:
        TopicError: a topic could not be created, or one that must be compacted is not.
    """
    wanted = {settings.topic_prefix + topic.name: topic for topic in topics}
    admin = _admin(settings)
    try:
        standing = set(admin.list_topics())
        missing = {
            name: _made(topic, settings) for name, topic in wanted.items() if name not in standing
        }
        if missing:
            _create(admin, missing)
        admin.wait_for_topics(list(wanted), timeout_ms=CALL_TIMEOUT_MS)
        _compare(admin, {name: topic for name, topic in wanted.items() if name in standing})
    finally:
        admin.close()


def remove_topics(settings: KafkaSettings, topics: Iterable[TopicLike]) -> None:
    """Remove those of the topics that stand, with all that is in them."""
    wanted = {settings.topic_prefix + topic.name for topic in topics}
    admin = _admin(settings)
    try:
        standing = sorted(wanted & set(admin.list_topics()))
        if standing:
            admin.delete_topics(standing)
    finally:
        admin.close()


def alter_topics(
    admin: KafkaAdminClient, wanted: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Set configs of standing topics where they differ; return what was set, by full name.

    Topics that do not stand are passed over; clean-up is never altered.

    Raises:
        TopicError: the broker refuses; names the topic and the broker's reason.
    """
    assert not any(CLEANUP in configs for configs in wanted.values())
    standing = wanted.keys() & set(admin.list_topics())
    changes = {}
    for name, found in _configs(admin, standing).items():
        other = {key: to for key, to in wanted[name].items() if found[key]["value"] != to}
        if other:
            changes[name] = other
    if changes:
        answer = admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, to) for name, to in changes.items()]
        )
        for name, said in answer.get("topic", {}).items():
            if said != "OK":  # the client tells, and does not raise
                raise TopicError(
                    f"topic {name!r}: found {said}, expected {changes[name]} to be set"
                )
    return changes


def require_topics(settings: KafkaSettings, topics: Iterable[TopicLike]) -> None:
    """See whether all topics exist and each of their partitions has a leader; creates none.

    Raises:
        TopicError: names those that do not, or not yet.
    """
    wanted = [settings.topic_prefix + topic.name for topic in topics]
    admin = _admin(settings)
    try:
        described = {topic["name"]: topic for topic in admin.describe_topics(wanted)}
    finally:
        admin.close()
    if absent := [name for name in wanted if not _exists(described.get(name))]:
        raise TopicError(f"found no topic {', '.join(absent)}, expected all to be made by now")
    leaderless = [
        f"{name}[{part['partition_index']}]"
        for name in wanted
        for part in described[name]["partitions"]
        if part["leader_id"] < 0
    ]
    if leaderless:
        raise TopicError(f"found no leader of {', '.join(leaderless)}, expected one of each")


def _exists(described: Mapping[str, Any] | None) -> bool:
    return described is not None and not described["error_code"] and bool(described["partitions"])


def _admin(settings: KafkaSettings) -> Any:
    return opened(KafkaAdminClient, **settings.client(), bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS)


def _made(topic: TopicLike, settings: KafkaSettings) -> dict[str, Any]:
    configs = {
        # Stated, not left to the broker's default: see KafkaSettings.in_sync_replicas.
        "min.insync.replicas": str(settings.in_sync_replicas),
        **_kept(topic),
        # Event times may be months old in a replay; retention would delete them at once.
        "message.timestamp.type": "LogAppendTime",
    }
    return {
        "num_partitions": topic.partitions,
        "replication_factor": settings.replication_factor,
        "configs": configs,
    }


def _compare(admin: KafkaAdminClient, standing: Mapping[str, TopicLike]) -> None:
    """Refuse a topic that forgets what it must keep; say of others that they are not as stated."""
    try:
        found_by_name = _configs(admin, standing)
    except KafkaError as exc:  # not everybody may ask
        get_logger().debug("topics.not_compared", reason=repr(exc))
        return
    for name, configs in found_by_name.items():
        stated = _kept(standing[name])
        found = {key: configs[key]["value"] for key in stated if key in configs}
        other = {key: value for key, value in found.items() if value != stated[key]}
        if standing[name].compacted and "compact" not in found.get(CLEANUP, "compact").split(","):
            raise TopicError(
                f"topic {name!r}: found {CLEANUP} {found[CLEANUP]}, expected compact, or what it"
                f" must keep expires: kafka-configs.sh --alter --topic {name} --add-config"
                f" {CLEANUP}=compact"
            )
        if other and name not in _told:
            _told.add(name)
            expected = {key: stated[key] for key in other}
            get_logger().warning("topic.not_as_stated", topic=name, found=other, expected=expected)


def _configs(admin: KafkaAdminClient, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return all configs of topics, by full name."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answer = admin.describe_configs(asked, config_filter="all") if asked else {}
    return dict(answer.get("topic", {}))


def _kept(topic: TopicLike) -> dict[str, str]:
    """Return how long a topic keeps what is in it, as Kafka names it."""
    policy = "compact" if topic.compacted else "delete"
    return {CLEANUP: policy, "retention.ms": str(topic.retention_ms)}


def _create(admin: KafkaAdminClient, missing: Mapping[str, Mapping[str, Any]]) -> None:
    answer = admin.create_topics(missing, timeout_ms=CALL_TIMEOUT_MS, raise_errors=False)
    for topic in answer["topics"]:
        code = topic["error_code"]
        if code not in (0, TOPIC_ALREADY_EXISTS):  # another service may have been first
            reason = topic.get("error_message") or for_code(code).__name__
            raise TopicError(f"topic {topic['name']!r} could not be created: {reason}")

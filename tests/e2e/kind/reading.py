"""Reads the topics of the pipeline, inside the cluster, and prints what it finds as JSON lines.

Sent to ``python -`` in a pod with the image of the services, so it imports nothing of the tests:

    python - counts  TOPIC…    {"ticks": 16303, …}: records from the beginning to the end now
    python - owners  GROUP…    {"featurizer": {"10.244.1.7": [0, 1, 2, 3], …}, …}
    python - brokers           {"brokers": 3, "offline": 0, "under_replicated": 0}
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any


def _counts(topics: Sequence[str]) -> dict[str, int]:
    from plumbing.kafka import KafkaSettings, Reader

    reader = Reader(KafkaSettings(), topics)
    try:
        found, first = dict.fromkeys(topics, 0), reader.beginnings()
        for partition, end in reader.ends().items():
            found[partition.topic] += end - first[partition]
        return found
    finally:
        reader.close()


def _owners(groups: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    from kafka import KafkaAdminClient  # type: ignore[import-untyped]

    from plumbing.kafka import KafkaSettings

    settings = KafkaSettings()
    admin = KafkaAdminClient(**settings.client())
    try:
        names = [settings.topic_prefix + group for group in groups]
        described = admin.describe_groups(names)
        return {
            group: members_of(described[name]) for group, name in zip(groups, names, strict=True)
        }
    finally:
        admin.close()


def _brokers(_: Sequence[str]) -> dict[str, int]:
    from plumbing.kafka import KafkaSettings
    from plumbing.kafka.inspection import Cluster

    cluster = Cluster(KafkaSettings())
    try:
        look = cluster.look()
    finally:
        cluster.close()
    return {
        "brokers": look.brokers,
        "offline": look.offline,
        "under_replicated": look.under_replicated,
    }


def members_of(described: Any) -> dict[str, list[int]]:
    """Return the partitions of each member that has any, by its address."""
    found: dict[str, list[int]] = {}
    for member in described["members"]:
        topics = member["member_assignment"]["assigned_partitions"]
        numbers = sorted(number for topic in topics for number in topic["partitions"])
        found[member["client_host"].lstrip("/")] = numbers
    return found


def main(arguments: Sequence[str]) -> None:
    """Print what the command line asks for."""
    asked: dict[str, Callable[[Sequence[str]], Any]]
    asked = {"counts": _counts, "owners": _owners, "brokers": _brokers}
    sys.stdout.write(json.dumps(asked[arguments[0]](arguments[1:])) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

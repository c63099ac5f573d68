"""Reads the topics of the pipeline, inside the cluster, and prints what it finds as JSON lines.

Sent to ``python -`` in a pod with the image of the services, so it imports nothing of the tests:

    python - counts  TOPIC…    {"ticks": 16303, …}: records from the beginning to the end now
    python - records TOPIC…    one ["ticks", id, said, content] for each of these records
    python - owners  GROUP…    {"featurizer": {"10.244.1.7": [0, 1, 2, 3], …}, …}
    python - brokers           {"brokers": 3, "offline": 0, "under_replicated": 0}
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

Line = tuple[str, str, str, str]
STAMPS = ("received_us", "featurized_us", "scored_us")
"""When a prediction went through each stage; a repeat went through them later."""


def line_of(topic: str, value: bytes) -> Line:
    """Give topic, id, and digests of what a record says and of its content.

    The first digest is equal in every repeat of the record. The second leaves the feed out as
    well, which names the run, and when we received what came: equal in every run.
    """
    record = json.loads(value)
    feed = record["feed"]
    if topic == "ticks":
        told = {**record, "received_us": None, "sequence": None}
        name = f"{record['kind']}:{record['product_id']}:{record['time_us']}"
        return topic, f"{name}:{record.get('trade_id') or 0}", digest(value), _content(told, feed)
    if topic == "predictions":
        told = {name: item for name, item in record.items() if name not in STAMPS}
        text = json.dumps(told).encode()
        made = {**told, "prediction_id": None}
        return topic, record["prediction_id"], digest(text), _content(made, feed)
    return topic, record["row_id"], digest(value), digest(value.replace(feed.encode(), b""))


def digest(text: bytes) -> str:
    """Give a digest that is short enough to print by the ten thousand."""
    return hashlib.sha256(text).hexdigest()[:20]


def _content(record: dict[str, Any], feed: str) -> str:
    return digest(json.dumps(record).replace(feed, "").encode())


def _records(topics: Sequence[str]) -> Iterator[Line]:
    from plumbing.kafka import KafkaSettings, Reader

    reader = Reader(KafkaSettings(), topics)
    try:
        left = {p: end for p, end in reader.ends().items() if end > reader.beginnings()[p]}
        reader.assign(list(left))
        while left:
            for record in reader.poll(1.0):
                where = next((p for p in left if _is_of(p, record)), None)
                if where is None:
                    continue
                yield line_of(record.topic, record.value)
                if record.offset + 1 >= left[where]:
                    del left[where]
    finally:
        reader.close()


def _is_of(partition: Any, record: Any) -> bool:
    return (partition.topic, partition.number) == (record.topic, record.partition)


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
    from plumbing.cluster import Cluster
    from plumbing.kafka import KafkaSettings

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
    """Give the partitions of each member that has any, by its address."""
    found: dict[str, list[int]] = {}
    for member in described["members"]:
        topics = member["member_assignment"]["assigned_partitions"]
        numbers = sorted(number for topic in topics for number in topic["partitions"])
        found[member["client_host"].lstrip("/")] = numbers
    return found


def main(arguments: Sequence[str]) -> None:
    """Print what the command line asks for."""
    what, names = arguments[0], arguments[1:]
    if what == "records":
        sys.stdout.writelines(json.dumps(line) + "\n" for line in _records(names))
    else:
        asked = {"counts": _counts, "owners": _owners, "brokers": _brokers}
        sys.stdout.write(json.dumps(asked[what](names)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

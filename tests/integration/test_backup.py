"""docs/backup.md: the packed logs of a stopped broker are another's, with all positions."""

import tarfile
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from local.broker import Broker
from local.spawn import spawn

pytestmark = [pytest.mark.kafka, pytest.mark.process, pytest.mark.timeout(300)]

PARTITION = TopicPartition("ticks", 0)
GROUP = "featurizer"
RECORDS, READ = 300, 120


def written(servers: str) -> None:
    """Leave records in a topic, of which a group has read some."""
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic("ticks", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=servers)
    for number in range(RECORDS):
        producer.send("ticks", str(number).encode())
    producer.flush()
    producer.close()
    with_group = reader(servers)
    with_group.assign([PARTITION])
    seen = 0
    while seen < READ:
        batches = with_group.poll(1000, max_records=READ - seen)
        seen += sum(map(len, batches.values()))
    with_group.commit()
    with_group.close()


def reader(servers: str) -> KafkaConsumer:
    """Return a consumer of the group that commits by itself only when told."""
    return KafkaConsumer(
        bootstrap_servers=servers,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )


def rest(servers: str) -> list[int]:
    """Return what the group has not read yet."""
    consumer = reader(servers)
    consumer.assign([PARTITION])
    (end,) = consumer.end_offsets([PARTITION]).values()
    found: list[int] = []
    while consumer.position(PARTITION) < end:
        for records in consumer.poll(1000).values():
            found += [int(record.value) for record in records]
    consumer.close()
    return found


def test_a_backup_of_the_logs_restores_records_and_positions(tmp_path: Path) -> None:
    """Into a new broker of the same node and cluster, whose own logs were removed."""
    packed = tmp_path / "kafka-0.tar"
    with Broker(tmp_path / "before") as broker:
        written(broker.bootstrap_servers)
    with tarfile.open(packed, "w") as archive:
        archive.add(tmp_path / "before" / "data", "data")
    after = Broker(tmp_path / "after")
    command = after.prepare()
    for path in sorted((tmp_path / "after" / "data").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "after", filter="data")
    process = spawn(command, after.log)
    try:
        after.await_answer(process, after.log)
        assert rest(after.bootstrap_servers) == list(range(READ, RECORDS))
    finally:
        process.terminate()
        process.wait(30)

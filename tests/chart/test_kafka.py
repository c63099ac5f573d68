"""Kafka in the chart, with one node and with three."""

import os
import subprocess
from typing import Any

import pytest

from tests.chart.profiles import objects
from tests.chart.rendering import Refused, one, pod_of, rendered, setting


def broker(profile: str) -> dict[str, Any]:
    """Return the StatefulSet of a profile."""
    return one(objects(profile), "StatefulSet", "kafka")


def properties(profile: str) -> dict[str, Any]:
    """Return the variables of the broker that are plain text."""
    (main,) = pod_of(broker(profile))["containers"]
    return {each["name"]: each["value"] for each in main["env"] if "value" in each}


def test_three_nodes_keep_two_copies_of_what_counts() -> None:
    """A record counts once two of three brokers have it, and no broker without it leads."""
    found = properties("kind, 3 nodes")
    assert found["KAFKA_DEFAULT_REPLICATION_FACTOR"] == "3"
    assert found["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == "3"
    assert found["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == "3"
    assert found["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
    assert found["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "2"
    assert found["KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE"] == "false"


def test_one_node_asks_for_no_copies() -> None:
    """A single broker can have one copy only."""
    found = properties("kind")
    assert {found[name] for name in found if "REPLICATION_FACTOR" in name} == {"1"}
    assert found["KAFKA_MIN_INSYNC_REPLICAS"] == "1"


@pytest.mark.parametrize(
    ("profile", "copies"), [("kind", "1"), ("kind, 3 nodes", "3"), ("prod", "3")]
)
def test_services_make_topics_with_as_many_copies(profile: str, copies: str) -> None:
    """Whoever may make a topic is told the same number."""
    found = set()
    for thing in objects(profile):
        if thing["kind"] in ("Deployment", "Job", "CronJob"):
            pod = pod_of(thing)
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                names = {each["name"]: each.get("value") for each in container.get("env", [])}
                if "KAFKA_BOOTSTRAP_SERVERS" in names:
                    found.add(names["KAFKA_REPLICATION_FACTOR"])
    assert found == {copies}


def test_each_voter_has_a_name_that_resolves_before_it_is_ready() -> None:
    """Voters are the pods by their names under the headless Service."""
    nodes = one(objects("kind, 3 nodes"), "Service", "kafka-nodes")["spec"]
    assert nodes["clusterIP"] == "None"
    assert nodes["publishNotReadyAddresses"] is True
    assert broker("kind, 3 nodes")["spec"]["serviceName"] == "crypto-volatility-kafka-nodes"
    hosts = "crypto-volatility-kafka-nodes.somewhere.svc.cluster.local"
    assert properties("kind, 3 nodes")["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",") == [
        f"{n}@crypto-volatility-kafka-{n}.{hosts}:9093" for n in range(3)
    ]


def test_the_brokers_start_together_and_end_one_by_one() -> None:
    """One broker alone has no quorum; updates, drains and evictions take one at a time."""
    spec = broker("kind, 3 nodes")["spec"]
    assert spec["podManagementPolicy"] == "Parallel"
    assert spec["updateStrategy"] == {"type": "RollingUpdate"}
    assert (
        one(objects("kind, 3 nodes"), "PodDisruptionBudget", "kafka")["spec"]["maxUnavailable"] == 1
    )


def test_data_outlive_the_release() -> None:
    """Volume claims are kept when the StatefulSet goes, and logs are in them."""
    spec = broker("kind")["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    (main,) = spec["template"]["spec"]["containers"]
    mounts = {mount["mountPath"] for mount in main["volumeMounts"] if mount["name"] == "data"}
    assert mounts == {"/var/lib/kafka/data"}
    assert properties("kind")["KAFKA_LOG_DIRS"].startswith("/var/lib/kafka/data/")


def test_a_jvm_is_started_by_the_startup_probe_only() -> None:
    """Being in sync is asked until it is so; after that a question costs no JVM."""
    (main,) = pod_of(broker("kind"))["containers"]
    assert "kafka-topics.sh" in main["startupProbe"]["exec"]["command"][-1]
    assert ".sh" not in main["readinessProbe"]["exec"]["command"][-1]
    assert "exec" not in main["livenessProbe"]


@pytest.mark.parametrize(
    ("synced", "code"),
    [("1,2,0", 0), ("1,0", 0), ("1,2", 1), ("1,10", 1), ("", 1)],
)
def test_a_broker_has_started_when_it_is_in_sync(synced: str, code: int) -> None:
    """Partitions that lack this broker say no; those that lack another one do not."""
    (main,) = pod_of(broker("kind, 3 nodes"))["containers"]
    script = main["startupProbe"]["exec"]["command"][-1]
    awk = script[script.index("awk ") :]
    line = f"\tTopic: ticks\tPartition: 3\tLeader: 1\tReplicas: 1,2,0\tIsr: {synced}\tElr: \n"
    done = subprocess.run(
        ["bash", "-c", awk], input=line, env={**os.environ, "KAFKA_NODE_ID": "0"}, text=True
    )
    assert done.returncode == code


def test_two_nodes_are_refused() -> None:
    """Two voters can lose none."""
    with pytest.raises(Refused, match=r"/kafka/nodes"):
        rendered(*setting("kafka.nodes=2"))

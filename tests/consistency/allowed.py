"""The differences between compose and chart that are meant, each with its reason."""

from tests.consistency.topology import Allowed

ALLOWED = [
    Allowed("deploy", "service", "there a model is rolled out: promote --to kubernetes"),
    Allowed(
        "adapter", "ADAPTER_DRAIN_SECONDS", "there others answer while clients go over to them"
    ),
    Allowed("retraining", "service", "a CronJob and its volume; compose has no clock"),
    Allowed("*", "secret *", "keys and passwords are never in the values' variables"),
    Allowed("adapter", "waits", "there it may start, and be replaced, while the brokers are away"),
    Allowed("mlflow", "MLFLOW_SERVER_ALLOWED_HOSTS", "a Service has names with its namespace too"),
    Allowed("postgres", "PGDATA", "a volume of its own may hold lost+found"),
    Allowed(
        "topics", "command", "with --timeout: nothing starts it after the brokers, as in compose"
    ),
    # The Job of the topics listens on nothing, and its minute is not traced.
    Allowed("topics", "LISTEN_HOST", "it listens on nothing"),
    Allowed("topics", "PROMETHEUS_DISABLE_CREATED_SERIES", "it has no metrics"),
    Allowed("topics", "OTEL_*", "it records no traces"),
    # All our processes get the same there, those too that read some of it only.
    Allowed("mlserver", "LISTEN_HOST", "has a setting of its own, MLSERVER_HOST"),
    Allowed("mlflow", "LISTEN_HOST", "has an option of its own, --host"),
    Allowed("mlflow", "PROMETHEUS_DISABLE_CREATED_SERIES", "has no metrics"),
    Allowed("mlflow", "OTEL_*", "records no traces"),
    Allowed("simulator", "OTEL_*", "records no traces"),
    # One broker has a fixed address, brokers of a StatefulSet have numbers.
    Allowed("kafka", "command", "the configuration is copied by an init container"),
    Allowed("kafka", "KAFKA_NODE_ID", "from the pod's number"),
    Allowed("kafka", "POD_NAME", "from the pod"),
    Allowed("kafka", "KAFKA_CONTROLLER_QUORUM_VOTERS", "by the names of the pods"),
    Allowed("kafka", "KAFKA_ADVERTISED_LISTENERS", "by the names of the pods"),
    Allowed("kafka", "KAFKA_LOG_DIRS", "a volume of its own may hold lost+found"),
    # Stated there because three nodes change them; with one node they are Kafka's own or 1.
    Allowed("kafka", "KAFKA_DEFAULT_REPLICATION_FACTOR", "stated for three nodes"),
    Allowed("kafka", "KAFKA_MIN_INSYNC_REPLICAS", "stated for three nodes"),
    Allowed(
        "kafka", "KAFKA_BROKER_SESSION_TIMEOUT_MS", "a dead one's partitions find a leader sooner"
    ),
    Allowed("kafka", "KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE", "stated for three nodes"),
    Allowed("kafka", "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_*", "stated for three nodes"),
]
ON_KIND = [
    Allowed("kafka", "KAFKA_HEAP_OPTS", "the nodes share the memory of one machine"),
    Allowed("*", "KAFKA_VOLUME", "three small claims on one disk"),
]

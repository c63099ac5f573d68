"""The table of services: one row each, from which lists elsewhere follow or are held to.

From a row follow the child of the demo, the sections of ``docs/settings.md`` and
``docs/metrics.md``, the job in ``grafana/prometheus.yml``; compose and the chart are compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Service:
    """A process of ours, under the name that compose, the chart and Prometheus know it by."""

    name: str
    command: tuple[str, ...]
    image: Literal["stream", "ml"]
    ports: Mapping[str, int]
    """The usual ones by name: its own has the service's, others begin with that."""
    settings: str = ""
    """Module of its settings; empty if it is none of ours."""
    metrics: str = ""
    """Module of its metrics."""
    asked: str = ""
    """Port that tells its health; empty: its own."""
    scraped: str = ""
    """Port that Prometheus reads; empty: the one that is asked."""
    ready: tuple[str, ...] = ("/readyz",)
    """Paths that all answer 200 once it can do its job."""
    kafka: bool = True
    """Whether it needs the broker."""
    demo: Mapping[str, str] | None = None
    """What it is told in the demo, with ``{names}`` of ports and options; None: it is not there."""
    profile: str = ""
    """Of compose; with one, it runs only where somebody asks for it."""

    @property
    def health_port(self) -> int:
        """Return the port that tells its health."""
        return self.ports[self.asked or self.name]

    @property
    def metrics_port(self) -> int:
        """Return the port that Prometheus reads."""
        return self.ports[self.scraped or self.asked or self.name]


def _ours(
    name: str, image: Literal["stream", "ml"], port: int, demo: Mapping[str, str] | None = None
) -> Service:
    """Return the row of a service whose package has its name, as most have."""
    modules = f"{name}.config", f"{name}.metrics"
    return Service(name, ("python", "-m", name), image, {name: port}, *modules, demo=demo)


SERVICES: Final = (
    _ours("ingestor", "stream", 9101, {"INGESTOR_SPILL_DIR": "{run_dir}/spill"}),
    _ours("featurizer", "stream", 9102, {"FEATURIZER_SEEDS": "{seeds}"}),
    _ours("scorer", "stream", 9103, {"SCORER_MODEL_URL": "http://127.0.0.1:{mlserver}"}),
    Service(
        "mlserver",
        ("mlserver", "start", "/models"),
        "ml",
        {"mlserver": 8080, "mlserver-grpc": 8081, "mlserver-metrics": 8082},
        scraped="mlserver-metrics",
        ready=("/v2/models/ml/ready", "/v2/models/baseline/ready"),
        kafka=False,
        demo={
            "MLSERVER_HTTP_PORT": "{mlserver}",
            "MLSERVER_DEBUG": "false",
            "MLSERVER_PARALLEL_WORKERS": "0",
        },
    ),
    _ours(
        "adapter",
        "stream",
        8000,
        {
            "ADAPTER_MODEL_URL": "http://127.0.0.1:{mlserver}",
            "ADAPTER_PROBER_KEY": "{prober_key}",
            "ADAPTER_DRAIN_SECONDS": "0",  # there is no other replica to send clients to
        },
    ),
    _ours(
        "monitor",
        "ml",
        8090,
        {
            "MONITOR_ADAPTER_URL": "http://127.0.0.1:{adapter}",
            "MONITOR_PROBER_KEY": "{prober_key}",
            "MONITOR_DRIFT_URL": "",  # the demo has none
            "MONITOR_FAULTS_URL": "http://127.0.0.1:{simulator-admin}/faults",
        },
    ),
    _ours("drift", "ml", 8091),
    Service(
        "kafka-metrics",
        ("python", "-m", "monitor", "kafka"),
        "ml",
        {"kafka-metrics": 9104},
        "monitor.kafka.config",
        "monitor.kafka.metrics",
    ),
    Service(
        "simulator",
        ("python", "-m", "simulator"),
        "stream",
        {"simulator": 8765, "simulator-admin": 8766},
        "simulator.config",
        "simulator.metrics",
        asked="simulator-admin",
        kafka=False,
        demo={
            "SIMULATOR_SPEED": "{speed}",
            "SIMULATOR_SEED": "{seed}",
            "SIMULATOR_VOLATILITY": "{volatility}",
            "SIMULATOR_HISTORY_SECONDS": "{history}",
            "SIMULATOR_PRODUCTS": "{products}",
            "SIMULATOR_RECORDING": "{recording}",
            "SIMULATOR_FAULTS": "true",
        },
        profile="replay",
    ),
)

"""What runs in the demo: each service's command, settings, port and readiness."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local.config import DemoSettings
from plumbing.kafka import KafkaSettings

ROOT: Final = Path(__file__).resolve().parents[1]
USUAL_PORTS: Final = {
    "simulator": 8765,
    "simulator-admin": 8766,
    "mlserver": 8080,
    "mlserver-grpc": 8081,
    "mlserver-metrics": 8082,
    "ingestor": 9101,
    "featurizer": 9102,
    "scorer": 9103,
    "adapter": 8000,
    "monitor": 8090,
    "broker": 9092,
}


@dataclass(frozen=True, slots=True)
class Service:
    """One child: ``ready`` are paths on ``port`` that all answer 200 once it can do its job."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    port: int
    ready: tuple[str, ...] = ("/readyz",)


@dataclass(frozen=True, slots=True)
class Plan:
    """The ports of a run, where the broker is, and a key for the monitor's prober."""

    settings: DemoSettings
    ports: Mapping[str, int]
    kafka: KafkaSettings
    prober_key: str = field(default_factory=lambda: secrets.token_hex(16))

    def kafka_env(self) -> dict[str, str]:
        """Return what every service needs to know of the broker."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
        }

    def services(self) -> dict[str, Service]:
        """Return all children but the ingestor, which needs to know its products."""
        made = [self._mlserver(), self._featurizer(), self._scorer()]
        made += [self._adapter(), self._monitor()]
        if self.settings.feed == "simulator":
            made.insert(0, self._simulator())
        return {service.name: service for service in made}

    def ingestor(self, products: str) -> Service:
        """Return the ingestor of these products, separated by commas."""
        env = {"INGESTOR_PRODUCTS": products}
        if self.settings.feed == "simulator":
            env["INGESTOR_WS_URL"] = f"ws://127.0.0.1:{self.ports['simulator']}"
        return self._module("ingestor", env)

    def _simulator(self) -> Service:
        settings, admin = self.settings, self.ports["simulator-admin"]
        env = {
            "SIMULATOR_HOST": "127.0.0.1",
            "SIMULATOR_PORT": str(self.ports["simulator"]),
            "SIMULATOR_ADMIN_PORT": str(admin),
            "SIMULATOR_SPEED": repr(settings.speed),
            "SIMULATOR_SEED": str(settings.seed),
            "SIMULATOR_PRODUCTS": settings.products,
            "SIMULATOR_RECORDING": str(settings.recording.resolve()) if settings.recording else "",
        }
        return Service("simulator", (sys.executable, "-m", "simulator"), env, admin)

    def _mlserver(self) -> Service:
        env = {
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": str(self.ports["mlserver"]),
            "MLSERVER_GRPC_PORT": str(self.ports["mlserver-grpc"]),
            "MLSERVER_METRICS_PORT": str(self.ports["mlserver-metrics"]),
            "MLSERVER_DEBUG": "false",
            "MLSERVER_PARALLEL_WORKERS": "0",
        }
        program = str(Path(sys.executable).with_name("mlserver"))
        ready = ("/v2/models/ml/ready", "/v2/models/baseline/ready")
        command = (program, "start", "model-settings")
        return Service("mlserver", command, env, self.ports["mlserver"], ready)

    def _featurizer(self) -> Service:
        return self._module("featurizer")

    def _scorer(self) -> Service:
        return self._module("scorer", {"SCORER_MODEL_URL": self._model_url})

    def _adapter(self) -> Service:
        env = {"ADAPTER_MODEL_URL": self._model_url, "ADAPTER_PROBER_KEY": self.prober_key}
        env["ADAPTER_DRAIN_SECONDS"] = "0"  # there is no other replica to send clients to
        return self._module("adapter", env)

    def _monitor(self) -> Service:
        adapter = f"http://127.0.0.1:{self.ports['adapter']}"
        env = {"MONITOR_ADAPTER_URL": adapter, "MONITOR_PROBER_KEY": self.prober_key}
        return self._module("monitor", env)

    @property
    def _model_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['mlserver']}"

    def _module(self, name: str, env: Mapping[str, str] | None = None) -> Service:
        prefix, port = name.upper(), self.ports[name]
        own = {f"{prefix}_HOST": "127.0.0.1", f"{prefix}_PORT": str(port), **(env or {})}
        return Service(name, (sys.executable, "-m", name), {**own, **self.kafka_env()}, port)


def choose_ports(
    names: Mapping[str, int],
    free: Callable[[int, set[int]], int],
    say: Callable[[str], None],
) -> dict[str, int]:
    """Return every name its usual port or the next free one, and say which were shifted."""
    chosen: dict[str, int] = {}
    for name, usual in names.items():
        others = {*chosen.values(), *names.values()} - {usual}
        chosen[name] = free(usual, others)
        if chosen[name] != usual:
            say(f"port {usual} of {name} is taken: using {chosen[name]}")
    return chosen


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return our own environment with a service's settings over it, and no proxy to 127.0.0.1."""
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1,localhost"]))
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": direct,
        "no_proxy": direct,
        **own,
    }

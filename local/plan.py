"""What the demo starts: of each service the command, settings, port and readiness."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local.config import DemoSettings
from local.market_seeds import seeds_of
from local.services import SERVICES, Service
from plumbing.kafka import KafkaSettings

ROOT: Final = Path(__file__).resolve().parents[1]
USUAL_PORTS: Final = {
    name: port for row in SERVICES if row.demo is not None for name, port in row.ports.items()
} | {"broker": 9092}


@dataclass(frozen=True, slots=True)
class Program:
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

    def programs(self, *, kafka: bool) -> list[Program]:
        """Return those that need the broker, or those that do not; the ingestor is none of them."""
        absent = {"ingestor"} if self.settings.feed == "simulator" else {"ingestor", "simulator"}
        rows = (row for row in SERVICES if row.demo is not None and row.name not in absent)
        return [self._program(row) for row in rows if row.kafka == kafka]

    def ingestor(self, products: str) -> Program:
        """Return the ingestor of these products, separated by commas."""
        env = {"INGESTOR_PRODUCTS": products}
        if self.settings.feed == "simulator":
            env["INGESTOR_WS_URL"] = f"ws://127.0.0.1:{self.ports['simulator']}"
        return self._program(next(row for row in SERVICES if row.name == "ingestor"), env)

    def _program(self, row: Service, more: Mapping[str, str] | None = None) -> Program:
        known = self._known()
        told = {name: said.format_map(known) for name, said in (row.demo or {}).items()}
        env = {**self._listening(row), **told, **(more or {})}
        command = tuple(_here(word) for word in row.command)
        port = self.ports[row.asked or row.name]
        return Program(
            row.name, command, env | self.kafka_env() if row.kafka else env, port, row.ready
        )

    def _known(self) -> dict[str, object]:
        """Return what rows may name: the ports, the options of the demo, the prober's key."""
        settings = self.settings
        recording = str(settings.recording.resolve()) if settings.recording else ""
        own = {"recording": recording, "prober_key": self.prober_key}
        own["run_dir"] = str(settings.run_dir.resolve())
        own["seeds"] = seeds_of(settings.seed, settings.volatility)
        return {**self.ports, **settings.model_dump(), **own}

    def _listening(self, row: Service) -> dict[str, str]:
        """Return where a service listens, in its own settings."""
        names = {name: name.upper().replace("-", "_") for name in row.ports}
        ports = {f"{names[name]}_PORT": str(self.ports[name]) for name in row.ports}
        return {f"{names[row.name]}_HOST": "127.0.0.1", **ports}


def _here(word: str) -> str:
    """Return a word of a command as it is on this machine."""
    own = Path(sys.executable)
    on_this = {
        "python": str(own),
        "mlserver": str(own.with_name("mlserver")),
        "/models": "model-settings",
    }
    return on_this.get(word, word)


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

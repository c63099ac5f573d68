"""The table of services, compose, the chart, Prometheus and settings name the same processes."""

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from local.services import SERVICES, Service
from tests.consistency.topology import compose_workloads, scrape_jobs, values_workloads

ROOT = Path(__file__).resolve().parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
COMPOSE = compose_workloads(FILE, {})
CHART: dict[str, Any] = yaml.safe_load(
    (ROOT / "charts" / "crypto-volatility" / "values.yaml").read_text()
)
VALUES = values_workloads(CHART)
OF_OTHERS = {"topics", "deploy", "mlflow"}
"""What our images run besides services: commands that end, and MLflow's server."""
OURS = [row for row in SERVICES if row.settings]

every = pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
ours = pytest.mark.parametrize("row", OURS, ids=lambda row: row.name)


def settings(row: Service) -> type[BaseSettings]:
    """Return the settings of a service: those with a host to listen on."""
    found = inspect.getmembers(importlib.import_module(row.settings), inspect.isclass)
    [own] = [
        each for _, each in found if issubclass(each, BaseSettings) and "host" in each.model_fields
    ]
    return own


def test_the_table_has_every_service() -> None:
    """What runs of our images, by compose and by the chart, is in the table, and nothing else."""
    for workloads in (COMPOSE, VALUES):
        running = {name for name, it in workloads.items() if it.image in ("stream", "ml")}
        assert running - OF_OTHERS == {row.name for row in SERVICES}


@every
def test_compose_runs_the_row(row: Service) -> None:
    """Command, image, the port that tells its health, and whether it runs without being asked."""
    service = COMPOSE[row.name]
    assert (service.command, service.image) == (row.command, row.image)
    assert {port for port, _ in service.health} == {row.health_port}
    assert FILE["services"][row.name].get("profiles", []) == [row.profile] * bool(row.profile)


@every
def test_the_chart_runs_the_row(row: Service) -> None:
    """Command, image and ports, the one with metrics too."""
    entry, workload = CHART["components"][row.name], VALUES[row.name]
    assert (workload.command, workload.image) == (row.command, row.image)
    assert workload.ports == set(row.ports.values())
    assert entry["ports"][entry["metrics"]] == row.metrics_port


def test_prometheus_reads_every_row() -> None:
    """A job of the service's name reads the port of its metrics; others are of the monitoring."""
    config = yaml.safe_load((ROOT / "grafana" / "prometheus.yml").read_text())
    jobs = {row.name: {(row.name, row.metrics_port)} for row in SERVICES}
    of_monitoring = {"prometheus": {("prometheus", 9090)}, "alertmanager": {("alertmanager", 9093)}}
    assert scrape_jobs(config, "crypto-volatility") == jobs | of_monitoring


@ours
def test_usual_ports_are_the_defaults(row: Service) -> None:
    """A service that is told no port listens where the table says."""
    fields = settings(row).model_fields
    defaults = {field.default for name, field in fields.items() if name in ("port", "admin_port")}
    assert defaults == set(row.ports.values())


@ours
def test_one_variable_opens_all_and_each_has_its_own(
    row: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback by default; LISTEN_HOST for all; the service's own goes before it."""
    own = settings(row)
    name = f"{own.model_config['env_prefix']}HOST"
    for each in ("LISTEN_HOST", name):
        monkeypatch.delenv(each, raising=False)
    assert own().host == "127.0.0.1"  # type: ignore[attr-defined]
    monkeypatch.setenv("LISTEN_HOST", "0.0.0.0")
    assert own().host == "0.0.0.0"  # type: ignore[attr-defined]
    monkeypatch.setenv(name, "127.0.0.2")
    assert own().host == "127.0.0.2"  # type: ignore[attr-defined]

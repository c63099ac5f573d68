"""docker-compose.yml and the chart are one topology in two forms; read here without Helm."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.consistency.allowed import ALLOWED
from tests.consistency.allowed import ON_KIND as SMALL
from tests.consistency.topology import (
    Allowed,
    Workload,
    chart_workloads,
    compose_workloads,
    defaults,
    differences,
    unexplained,
    values_workloads,
    variables,
)

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "crypto-volatility"
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
UNSET = defaults((ROOT / "docs" / "settings.md").read_text())
FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
OF_TEMPLATES = {"kafka", "topics"}
"""Services of the chart that are no entry under `components:`."""
ON_DEMAND = {"ingestor"}
"""Whose volume holds nothing, and whose claim is none, unless one asks for it."""
COMMON = {*FILE["x-environment"], "KAFKA_REPLICATION_FACTOR", "KAFKA_TOPIC_PREFIX"}
"""Variables that the templates give to all; compared in tests/chart/test_topology_rendered.py."""
FOREIGN = re.compile(
    "MLSERVER_|MLFLOW_SERVER_|OTEL_TRACES_SAMPLER|OTEL_EXPORTER_OTLP_HEADERS|GF_|POSTGRES_|PG"
    "|LISTEN_HOST$|DO_NOT_TRACK$|PROMETHEUS_URL$|PROMETHEUS_DISABLE_CREATED_SERIES$"
)
"""Variables that others read, or that settings know by another name (LISTEN_HOST)."""
WITHOUT = [
    Allowed("mlflow", "service", "not enabled in the profile"),
    Allowed("postgres", "service", "MLflow's"),
]
LIVE = [Allowed("simulator", "SIMULATOR_PRODUCTS", "only there with a market of its own")]


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one values file over another, as Helm does."""
    return dict(base) | {
        key: merged(base[key], said) if isinstance(said, dict) and key in base else said
        for key, said in over.items()
    }


VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
ON_KIND = merged(VALUES, yaml.safe_load((CHART / "values-kind.yaml").read_text()))
REPLAY = variables((ROOT / "env" / "replay.env").read_text())


def of_components(workloads: Mapping[str, Workload]) -> dict[str, Workload]:
    """Leave out what no component states: variables of all, services without an entry."""
    return {
        name: replace(it, env={key: it.env[key] for key in it.env if key not in COMMON})
        for name, it in workloads.items()
        if name not in OF_TEMPLATES
    }


@pytest.mark.parametrize(
    ("values", "given", "more"),
    [(VALUES, {}, LIVE), (ON_KIND, REPLAY, SMALL)],
    ids=["live", "kind"],
)
def test_components_are_the_services_of_compose(
    values: dict[str, Any], given: dict[str, str], more: list[Allowed]
) -> None:
    """Images, commands, variables, ports, health, memory: values.yaml says what compose says."""
    compose = of_components(compose_workloads(FILE, given))
    found = differences(compose, of_components(values_workloads(values)), UNSET)
    left, _ = unexplained(found, [*ALLOWED, *more])
    assert not left, "\n".join(left)


def test_plain_manifests_run_what_compose_runs() -> None:
    """`kubectl apply -k` starts the same as `docker compose --env-file env/replay.env up`."""
    files = (ROOT / "manifests" / "rendered").glob("*.yaml")
    objects = [thing for path in files for thing in yaml.load_all(path.read_text(), FAST)]
    chart = chart_workloads((it for it in objects if "spec" in it), "crypto-volatility")
    left, _ = unexplained(
        differences(compose_workloads(FILE, REPLAY), chart, UNSET), [*ALLOWED, *SMALL, *WITHOUT]
    )
    assert not left, "\n".join(left)


def test_kafka_has_one_version() -> None:
    """The broker's image is the same, and its heap and memory where nothing is small."""
    kafka, compose = VALUES["kafka"], compose_workloads(FILE, {})["kafka"]
    assert compose.image == f"{kafka['image']['repository']}:{kafka['image']['tag']}"
    assert compose.env["KAFKA_HEAP_OPTS"] == kafka["heap"]
    assert compose.memory == 2**30
    assert kafka["resources"]["limits"]["memory"] == "1Gi"


def test_tools_have_the_versions_that_run() -> None:
    """`make rules-test` takes promtool and amtool from the images that run."""
    rules = (ROOT / "make" / "observability.mk").read_text()
    for name in ("prometheus", "alertmanager"):
        assert FILE["services"][name]["image"] in rules


def test_published_ports_are_node_ports_and_host_ports() -> None:
    """What compose publishes answers on kind too: at 30000 and a tenth of its own port."""
    published = {
        (name, int(port.rsplit(":", 1)[1]))
        for name, service in FILE["services"].items()
        for port in service.get("ports", [])
    }
    nodes = {
        (name, entry["ports"][port]): number
        for name, entry in ON_KIND["components"].items()
        for port, number in entry.get("service", {}).get("nodePorts", {}).items()
    }
    assert nodes == {(name, port): 30000 + port // 10 for name, port in published}
    kind = yaml.safe_load((ROOT / "manifests" / "kind.yaml").read_text())
    mapped = [it for node in kind["nodes"] for it in node.get("extraPortMappings", [])]
    assert {it["containerPort"] for it in mapped} == set(nodes.values())
    assert all(it["hostPort"] == it["containerPort"] for it in mapped)
    assert all(it["listenAddress"] == "127.0.0.1" for it in mapped)


def test_what_lasts_in_compose_lasts_in_the_chart() -> None:
    """A service with a named volume has a volume claim of its own, and no other has."""
    lasting = {
        name
        for name, service in FILE["services"].items()
        if any(str(mount).split(":")[0] in FILE["volumes"] for mount in service.get("volumes", []))
    }
    claims = {name for name, entry in VALUES["components"].items() if "persistence" in entry}
    assert claims | {"kafka"} | ON_DEMAND == lasting
    assert not claims & ON_DEMAND


def test_every_address_is_connected() -> None:
    """Who is told of a service may connect to it: `connects` names what the variables name."""
    for name, workload in values_workloads(ON_KIND).items():
        told = {
            host
            for host in ON_KIND["components"]
            for said in workload.env.values()
            if f"//{host}:" in said
        }
        connects = {it.split(":")[0] for it in ON_KIND["components"][name].get("connects", [])}
        assert told <= connects, name


def test_every_variable_is_a_setting() -> None:
    """No variable of compose or of a profile is mistyped: the page of settings has it."""
    services = compose_workloads(FILE, {}).items()
    profiles = [yaml.safe_load(path.read_text()) for path in sorted(CHART.glob("values*.yaml"))]
    entries = [each for values in profiles for each in values.get("components", {}).items()]
    told = [(name, it.env) for name, it in services]
    told += [(name, {**it.get("env", {}), **it.get("secretEnv", {})}) for name, it in entries]
    unknown = {
        f"{name}: {variable}"
        for name, env in told
        for variable in env
        if name != "kafka" and variable not in UNSET and not FOREIGN.match(variable)
    }
    assert not unknown


def test_topics_are_made_by_the_same_command() -> None:
    """Both make the topics of ingestor/topics.py by its command, and state none by themselves."""
    template = (CHART / "templates" / "topics.yaml").read_text()
    said = [line.split(":", 1)[1] for line in template.splitlines() if "command:" in line]
    assert [words(it)[:4] for it in said] == [FILE["services"]["topics"]["command"]]
    everything = [ROOT / "docker-compose.yml", *CHART.glob("*.yaml"), *CHART.glob("templates/*")]
    assert not [it for it in everything if it.is_file() and "retention.ms" in it.read_text()]


def words(line: str) -> list[str]:
    """The words of a command in a template."""
    return re.findall(r"[\w.-]+", line)

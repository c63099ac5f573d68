"""What Helm renders is what compose runs: the variables in effect, probes, limits, scrape jobs."""

import re
from typing import Any

import pytest
import yaml

from tests.chart.rendering import KIND, RELEASE, ROOT, Manifest, rendered, setting
from tests.consistency.allowed import ALLOWED, ON_KIND
from tests.consistency.topology import (
    Allowed,
    chart_workloads,
    component,
    compose_workloads,
    defaults,
    differences,
    scrape_jobs,
    unexplained,
    variables,
)

FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
REPLAY = variables((ROOT / "env" / "replay.env").read_text())
UNSET = defaults((ROOT / "docs" / "settings.md").read_text())
ALL = setting("components.simulator.enabled=true", "mlflow.enabled=true")
LIVE = [
    Allowed("simulator", "SIMULATOR_PRODUCTS", "only there with a market of its own"),
    Allowed("*", "*_PROBER_KEY", "none until the values name a Secret"),
]
PROFILES = {
    "live": (ALL, {}, LIVE),
    "kind": (("--values", KIND, *ALL), REPLAY, ON_KIND),
}


@pytest.mark.parametrize(("options", "given", "more"), PROFILES.values(), ids=PROFILES)
def test_pods_run_what_compose_runs(
    options: tuple[str, ...], given: dict[str, str], more: list[Allowed]
) -> None:
    """Images, commands, variables in effect, ports, health and memory are those of compose."""
    found = differences(
        compose_workloads(FILE, given), chart_workloads(rendered(*options), RELEASE), UNSET
    )
    left, needless = unexplained(found, [*ALLOWED, *more])
    assert not left, "\n".join(left)
    assert not needless


@pytest.mark.parametrize("options", [options for options, _, _ in PROFILES.values()], ids=PROFILES)
def test_the_same_jobs_are_scraped(options: tuple[str, ...]) -> None:
    """Prometheus reads the same services at the same ports, under the same names of jobs."""
    ours = yaml.safe_load((ROOT / "grafana" / "prometheus.yml").read_text())
    theirs = scrape_config(rendered(*options))
    assert scrape_jobs(theirs, RELEASE) == scrape_jobs(ours, RELEASE)
    assert theirs["global"] == ours["global"]
    assert len(theirs["rule_files"]) == len(ours["rule_files"])


def scrape_config(objects: list[Manifest]) -> dict[str, Any]:
    """The configuration that Prometheus is given."""
    texts = [
        text
        for it in objects
        if it["kind"] == "ConfigMap"
        for name, text in (it.get("data") or {}).items()
        if name == "prometheus.yml" and "scrape_configs" in text
    ]
    assert len(texts) == 1
    config: dict[str, Any] = yaml.safe_load(texts[0])
    return config


def test_every_scraped_name_is_a_headless_service() -> None:
    """Each name that Prometheus resolves is a Service without an address, with that port."""
    objects = rendered(*ALL)
    headless = {
        f"{it['metadata']['name']}.{it['metadata']['namespace']}.svc": it["spec"]
        for it in objects
        if it["kind"] == "Service" and it["spec"].get("clusterIP") == "None"
    }
    for job in scrape_config(objects)["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            for name in found["names"]:
                service = headless[re.sub(r"(\.svc)\..*", r"\1", name)]
                assert found["type"] == "A"
                assert found["port"] in {port["port"] for port in service["ports"]}
                assert service["publishNotReadyAddresses"] is True


def test_every_address_may_be_reached() -> None:
    """Who is told of a service in a variable may go there, by a policy of its own and one there."""
    objects = rendered(*PROFILES["kind"][0])
    policies = {component(it): it["spec"] for it in objects if it["kind"] == "NetworkPolicy"}
    for name, workload in chart_workloads(objects, RELEASE).items():
        for said in workload.env.values():
            for host, port in re.findall(r"\b([a-z-]+):(\d{4,5})\b", said):
                if host in policies and host != name:
                    assert reaches(policies[name]["egress"], "to", host, int(port)), (name, said)
                    let_in = policies[host].get("ingress", [])
                    assert reaches(let_in, "from", name, int(port)), (name, said)


def reaches(rules: list[Manifest], way: str, peer: str, port: int) -> bool:
    """Whether one of the rules lets a component through at a port."""
    label = "app.kubernetes.io/component"
    return any(
        port in {it["port"] for it in rule["ports"]}
        and any(
            it.get("podSelector", {}).get("matchLabels", {}).get(label) == peer
            for it in rule.get(way, [])
        )
        for rule in rules
    )


def test_a_change_would_be_found() -> None:
    """One port, one setting and one limit set otherwise in the values are three differences."""
    changed = rendered(
        *ALL,
        *setting("components.featurizer.ports.http=9999"),
        *setting("components.scorer.env.SCORER_MODEL_URL=http://elsewhere:8080"),
        *setting("components.adapter.resources.limits.memory=64Mi"),
    )
    compose, chart = compose_workloads(FILE, {}), chart_workloads(changed, RELEASE)
    left, _ = unexplained(differences(compose, chart, UNSET), [*ALLOWED, *LIVE])
    assert {said.split(":")[0] for said in left} == {
        "adapter, memory",
        "featurizer, ports",
        "featurizer, health",
        "scorer, SCORER_MODEL_URL",
    }

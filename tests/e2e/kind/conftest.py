"""The drill on a kind cluster, run by ``make e2e`` alone: files and tests in their order."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.kind.cluster import Cluster
from tests.e2e.kind.drill import MODELS, PORTS, Drill, Model, candidate_in, model_in
from tests.e2e.kind.report import Report
from tests.e2e.stack import ROOT

collect_ignore_glob = [] if os.environ.get("KIND_TEST") else ["test_*.py"]
CONTINUE = "continue"
"""Go on with the release that a failed drill has left: ``KIND_TEST=continue``, with ``-k``."""
REPORT = pytest.StashKey[Report]()


@pytest.fixture(scope="session")
def drill(request: pytest.FixtureRequest) -> Iterator[Drill]:
    """The drill in a namespace of its own, which stays for a look at it if a test failed."""
    cluster, report = Cluster(), Report()
    request.config.stash[REPORT] = report
    going = Drill(cluster, report)
    if os.environ["KIND_TEST"] == CONTINUE:
        going.start_load()
    else:
        _must_be_free(cluster)
        cluster.kubectl("delete", "namespace", cluster.namespace, "--ignore-not-found", "--wait")
    try:
        yield going
    finally:
        if report.load is not None:
            report.load.stop()
        report.write(ROOT / ".run" / "e2e" / "report.json")
    if not request.session.testsfailed:
        cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")


def _must_be_free(cluster: Cluster) -> None:
    """Another release on the same ports would be asked instead of ours."""
    for item in cluster.get("services", "--all-namespaces")["items"]:
        meta, ports = item["metadata"], item["spec"].get("ports", [])
        taken = {port.get("nodePort") for port in ports} & set(PORTS.values())
        if taken and meta["namespace"] != cluster.namespace:
            where = meta["namespace"]
            release = meta.get("labels", {}).get("app.kubernetes.io/instance", "?")
            pytest.exit(
                f"found the ports {sorted(taken)} taken by release {release} in namespace {where}:"
                f" first helm uninstall {release} --namespace {where}",
                2,
            )


@pytest.fixture(scope="session")
def first() -> Model:
    """The models that the chart brings."""
    return model_in(MODELS)


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Models with another golden score."""
    return candidate_in(tmp_path_factory.mktemp("candidate"))


def pytest_exception_interact(node: pytest.Item) -> None:
    """Keep what the cluster shows at the moment of a failure, beside the report."""
    folder = ROOT / ".run" / "e2e"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{node.name}.txt").write_text(Cluster().diagnosis())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the report last."""
    if (report := config.stash.get(REPORT, None)) is not None:
        terminalreporter.section("drill")
        for line in report.lines():
            terminalreporter.write_line(line)

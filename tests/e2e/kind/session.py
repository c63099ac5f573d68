"""What a drill begins and ends with: a namespace that is free, and a report."""

import os
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.kind.cluster import UPGRADED, Cluster
from tests.e2e.kind.drill import PORTS, Drill, until
from tests.e2e.stack import ROOT

CONTINUE = "continue"
"""Go on with the release that a failed drill has left: ``KIND_TEST=continue``, with ``-k``."""
DRILL = pytest.StashKey[Drill]()
"""The drill that runs, for what is told of it at a failure and at the end."""
OF_DRILLS: Final = (Cluster().namespace, UPGRADED)
"""The namespaces that are made and removed here: what a failed drill left in one may go."""


def going(request: pytest.FixtureRequest, drill: Drill, kept: str) -> Iterator[Drill]:
    """Yield the drill in its namespace, which stays for a look at it if a test failed.

    What an earlier drill left, this one or the other, is removed first. Its report is kept under a
    name in ``.run/e2e``.
    """
    cluster, report = drill.cluster, drill.report
    request.config.stash[DRILL] = drill
    if os.environ.get("KIND_TEST") == CONTINUE:
        drill.start_load()
    else:
        cluster.kubectl("delete", "namespace", *OF_DRILLS, "--ignore-not-found", "--wait")
        _must_be_free(cluster)
    try:
        yield drill
    finally:
        if report.load is not None:
            report.load.stop()
        report.write(ROOT / ".run" / "e2e" / f"{kept}.json")
    if not request.session.testsfailed:
        cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")


def _must_be_free(cluster: Cluster) -> None:
    """Another release on the same ports would be asked instead of ours; one that ends may go."""
    until(lambda: not _ending(cluster))
    for item in cluster.get("services", "--all-namespaces")["items"]:
        meta, ports = item["metadata"], item["spec"].get("ports", [])
        taken = {port.get("nodePort") for port in ports} & set(PORTS.values())
        if taken:
            where = meta["namespace"]
            release = meta.get("labels", {}).get("app.kubernetes.io/instance", "?")
            pytest.exit(
                f"found the ports {sorted(taken)} taken by release {release} in namespace {where}:"
                f" first helm uninstall {release} --namespace {where}",
                2,
            )


def _ending(cluster: Cluster) -> list[str]:
    """Return the namespaces that are on their way out: their services still have their ports."""
    items = cluster.get("namespaces")["items"]
    return [item["metadata"]["name"] for item in items if item["status"]["phase"] == "Terminating"]

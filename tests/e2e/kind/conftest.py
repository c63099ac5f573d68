"""The drills on a kind cluster, run by targets of their own: files and tests in their order."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kind.cluster import Cluster
from tests.e2e.kind.drill import MODELS, Drill
from tests.e2e.kind.report import Report
from tests.e2e.kind.session import DRILL, going
from tests.e2e.models import Model, candidate_in, model_in
from tests.e2e.stack import ROOT

UPGRADE = "test_upgrade.py"
OTHERS = sorted({path.name for path in Path(__file__).parent.glob("test_*.py")} - {UPGRADE})
# They need a cluster and have targets of their own, `make e2e` and `make upgrade-drill`.
collect_ignore = [
    *([] if os.environ.get("KIND_TEST") else OTHERS),
    *([] if os.environ.get("UPGRADE_TEST") else [UPGRADE]),
]


@pytest.fixture(scope="session")
def drill(request: pytest.FixtureRequest) -> Iterator[Drill]:
    """The drill of `make e2e`, in a namespace of its own."""
    yield from going(request, Drill(Cluster(), Report()), "report")


@pytest.fixture(scope="session")
def first() -> Model:
    """The models that the chart brings."""
    return model_in(MODELS)


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Models with another golden score."""
    return candidate_in(tmp_path_factory.mktemp("candidate"), MODELS)


def pytest_exception_interact(node: pytest.Item) -> None:
    """Keep what the cluster shows at the moment of a failure, beside the report."""
    folder = ROOT / ".run" / "e2e"
    folder.mkdir(parents=True, exist_ok=True)
    if (drill := node.config.stash.get(DRILL, None)) is not None:
        (folder / f"{node.name}.txt").write_text(drill.cluster.diagnosis())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the report last."""
    if (drill := config.stash.get(DRILL, None)) is not None:
        terminalreporter.section("drill")
        for line in drill.report.lines():
            terminalreporter.write_line(line)

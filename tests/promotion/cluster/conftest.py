"""A release of the chart in an API of this process, and the commands against it."""

import argparse
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plumbing.stop import Stop
from promotion.commands import history, pin, promote, prune
from promotion.commands.in_cluster import promote_there
from promotion.config import PromotionSettings
from serving.control import VARIANTS
from tests.promotion.cluster.fake import (
    FakeCluster,
    running,
)
from tests.promotion.cluster.fake_objects import (
    FULLNAME,
    body_of,
    deployment,
    source,
)

MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def pairs(make_run: MakeRun, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three folders, each with both models of a training."""
    folders = []
    for seed in (1, 2, 3):
        run = make_run(tmp_path_factory.mktemp("run") / "run", seed)
        folder = tmp_path_factory.mktemp("pair")
        shutil.copytree(run / "candidates" / "logistic_regression", folder / "ml")
        shutil.copytree(run / "candidates" / "baseline", folder / "baseline")
        folders.append(folder)
    return folders


@pytest.fixture
def cluster(pairs: list[Path]) -> Iterator[FakeCluster]:
    """A release as the chart installs it, which serves the first pair."""
    fake = FakeCluster()
    bodies = {variant: body_of(pairs[0] / variant) for variant in VARIANTS}
    fake.objects["configmaps"] = {body["metadata"]["name"]: body for body in bodies.values()}
    settings = {"configMap": {"name": f"{FULLNAME}-mlserver-settings-1", "items": []}}
    serving = [settings, *(source(bodies[variant], variant) for variant in VARIANTS)]
    fake.add(deployment("mlserver", serving))
    fake.add(deployment("adapter", [source(bodies["baseline"], "baseline")]))
    optional = [source(bodies[v], f"{v}-1", optional=True) for v in VARIANTS]
    fake.add(deployment("drift", optional, replicas=1))
    with running(fake):
        yield fake


@pytest.fixture
def settings(tmp_path: Path, pairs: list[Path]) -> PromotionSettings:
    """Settings whose model-settings hold the second pair."""
    return PromotionSettings(out=pairs[1], runs=tmp_path / "runs", models=tmp_path / "models")


@pytest.fixture
def say(cluster: FakeCluster, settings: PromotionSettings, tmp_path: Path) -> Callable[..., int]:
    """Run a command as ``python -m promotion`` does, with quick looks."""
    kubeconfig = cluster.kubeconfig(tmp_path / "kubeconfig")

    def run(*words: str, stop: Any = None) -> int:
        parser = argparse.ArgumentParser()
        subparsers = parser.add_subparsers()
        for command in (promote, history, prune, pin):
            command.add(subparsers)
        given = ["--to", "kubernetes", "--kubeconfig", str(kubeconfig)]
        options = parser.parse_args([*words, *given])
        if options.run is promote.run:
            return promote_there(options, settings, stop or Stop(), poll=0.01)
        code: int = options.run(options, settings)
        return code

    return run

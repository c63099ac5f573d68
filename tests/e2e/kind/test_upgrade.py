"""The release of before is installed, fed, upgraded and brought back: nothing of it is lost.

Run by `make upgrade-drill`, in the order of this file; no request to ``/predict`` may fail.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import before
from tests.e2e.kind import run
from tests.e2e.kind.cluster import UPGRADED, VALUES_KIND, Cluster
from tests.e2e.kind.drill import Drill, until
from tests.e2e.kind.report import Report
from tests.e2e.kind.session import going
from tests.e2e.models import Model, candidate_in, model_in

ONE_EACH = dict.fromkeys(("adapter", "mlserver", "scorer", "featurizer", "ingestor"), 1)
LEAN = "tests/e2e/kind/values-upgrade.yaml"
PAUSE = 0.2
"""Seconds between requests of a client: the machine is to do other things meanwhile."""
UNREAD = 200
"""Events that the old services leave to the new ones."""


@pytest.fixture(scope="module")
def drill(request: pytest.FixtureRequest) -> Iterator[Drill]:
    """The release of before in a namespace of its own, with the values of its user."""
    values = (str(before.unpack() / VALUES_KIND), LEAN)
    cluster = Cluster(namespace=UPGRADED, values=values)
    yield from going(request, Drill(cluster, Report(), ONE_EACH), "upgrade")


@pytest.fixture(scope="module")
def first() -> Model:
    """The models that the release of before came with."""
    return model_in(before.MODELS)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Models with another golden score."""
    return candidate_in(tmp_path_factory.mktemp("second"), before.MODELS)


def test_the_release_of_before_is_installed(drill: Drill, first: Model) -> None:
    """It is what a user of it has: its chart, values, images and models, and a market."""
    with drill.report.step(f"helm install: {before.RELEASE}", 5):
        drill.cluster.install(before.TREE, before.RELEASE)
    drill.start_load(PAUSE)
    drill.serves(first)
    with drill.report.step("predictions and outcomes of before"):
        until(drill.outcomes)


def test_it_promotes_a_model(drill: Drill, second: Model, tmp_path: Path) -> None:
    """Its own `promote` brings another model into its release."""
    with drill.report.step(f"promote by {before.RELEASE}", 2):
        promote(drill, second, tmp_path)
        until(lambda: drill.settled(second))
        drill.serves(second)


def promote(drill: Drill, model: Model, folder: Path) -> None:
    """Promote by the release's own image, whatever this machine has installed."""
    cluster, access = drill.cluster, folder / "kubeconfig"
    access.write_text(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    volumes = (f"{access}:/kubeconfig:ro", f"{model.folder}:/candidate:ro")
    given = [part for volume in volumes for part in ("--volume", volume)]
    docker = ("docker", "run", "--rm", "--network", "host", "--user", f"{os.getuid()}", *given)
    command = ("python", "-m", "training", "promote", "/candidate", "--who", "drill")
    where = ("--to", "kubernetes", "--kubeconfig", "/kubeconfig", "--release", cluster.release)
    image = before.IMAGES["ml"]
    cluster.run(*docker, image, *command, *where, "--namespace", cluster.namespace)


def test_it_is_upgraded(drill: Drill, second: Model) -> None:
    """With values, topics, offsets and the model of before, and work that was left undone.

    The chart brings other models than it did, so the promoted one is named, or they would serve.
    """
    leave_work(drill)
    with drill.report.step("helm upgrade, with work left undone", 5):
        drill.cluster.upgrade({"serving": {"models": {"ml": {"digest": second.digest}}}})
        until(lambda: drill.settled(second))
        drill.serves(second)
    assert before.RELEASE not in drill.releases()
    with drill.report.step("helm test", 2):
        drill.cluster.helm("test", drill.cluster.release, "--hide-notes", "--timeout", "3m")
    drill.one_score_each()


def leave_work(drill: Drill) -> int:
    """Let events pile up that no row was made of, and return how many rows there are."""
    run.stop(drill, "featurizer", "scorer")
    left = unread(drill)
    until(lambda: unread(drill) > left + UNREAD)
    run.stop(drill, "ingestor")
    return counts(drill)["features"]


def unread(drill: Drill) -> int:
    """Return how many events there are that no row was made of."""
    found = counts(drill)
    return found["ticks"] - found["features"]


def counts(drill: Drill) -> dict[str, int]:
    """Return how many events and rows there are, asked from a pod that stays."""
    return drill.counts("ticks", "features", component="adapter")


def test_nothing_was_lost(drill: Drill) -> None:
    """Each event of before and since has its row, to the bit, and each row its prediction."""
    drill.flows()
    with drill.report.step("counted by content, by the present release", 5) as step:
        found = run.whole(drill)
        step.note = str(found)
    assert found.rows > UNREAD


def test_a_rollback_brings_the_release_of_before(drill: Drill, first: Model) -> None:
    """`helm rollback`: its images, its model with its score, and work of the present."""
    drill.cluster.scale("ingestor", 1)
    drill.flows()
    rows = leave_work(drill)
    with drill.report.step(f"helm rollback: {before.RELEASE}, with work left undone", 5):
        drill.cluster.helm("rollback", drill.cluster.release, "1", "--wait", "--timeout", "5m")
        until(lambda: drill.settled(first))
        drill.serves(first)
    assert drill.releases() == {before.RELEASE}
    with drill.report.step("it goes on with what the present release left", 2):
        drill.flows()
    with drill.report.step(f"counted by content, by {before.RELEASE}", 5) as step:
        found = run.standing(drill)
        step.note = str(found)
    assert found.rows > rows + UNREAD
    drill.one_score_each()
    assert not drill.load.failures, "between the steps"

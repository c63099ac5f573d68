"""The release of before is installed, fed and upgraded: nothing is lost, no request fails.

The first of the drill; what it leaves is the release that all other tests go on with.
"""

import os
from pathlib import Path

from tests.e2e import before
from tests.e2e.kind import run
from tests.e2e.kind.cluster import BEFORE
from tests.e2e.kind.drill import Drill, until
from tests.e2e.models import Model

UNREAD = 200
"""Events that the old services leave to the new ones."""


def test_the_release_of_before_is_installed(drill: Drill, first: Model) -> None:
    """It is what a user of it has: its chart, values, images and models, and a market."""
    before.unpack()
    with drill.report.step(f"helm install: {before.RELEASE}", 5):
        drill.cluster.install_before()
    drill.start_load()
    drill.serves(first)
    with drill.report.step("predictions and outcomes of before"):
        until(drill.outcomes)


def test_it_promotes_a_model(drill: Drill, second: Model, tmp_path: Path) -> None:
    """Its own `promote` brings another model into its release."""
    with drill.report.step(f"promote by {before.RELEASE}"):
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
    """With values, topics, offsets and the model of before, and work that was left undone."""
    run.stop(drill, "featurizer", "scorer")
    left = unread(drill)
    until(lambda: unread(drill) > left + UNREAD)
    run.stop(drill, "ingestor")
    with drill.report.step("make kind: upgrade, helm test, ask", 5):
        shown = drill.cluster.make("kind", BEFORE)
    assert '"model_variant":"ml"' in shown and '"model_name":"baseline"' in shown
    assert before.RELEASE not in drill.releases()
    assert drill.settled(second)
    drill.serves(second)
    drill.one_score_each()


def unread(drill: Drill) -> int:
    """Return how many events there are that no row was made of."""
    found = drill.counts("ticks", "features", component="adapter")
    return found["ticks"] - found["features"]


def test_nothing_was_lost(drill: Drill) -> None:
    """Each event of before and since has its row, to the bit, and each row its prediction."""
    with drill.report.step("counted by content, across the upgrade", 2) as step:
        drill.flows()
        step.note = run.whole(drill)
    drill.cluster.scale("ingestor", 1)
    drill.flows()

"""A release of before is fed and given a model; the present tree goes on with what it left.

Run by `make upgrade-drill`, in the order of this file; the last test ends the system. The
exchange plays the same market to both, so that what they made of it can be compared.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.models import Model, candidate_in, golden_row, model_in
from tests.e2e.stack import MAKEFILE, PROJECT, ROOT, TAG, Stack, until

OURS = "crypto-volatility/"
SERVING = ("simulator", "featurizer", "mlserver", "scorer", "adapter", "monitor")
SCRIPTS = Path(__file__).parent
UNREAD = 300
"""Events that the old services leave to the new ones."""
PATIENCE = 300.0
"""Seconds, for a machine that does other work."""


@pytest.fixture(scope="module")
def after(before: Stack) -> Stack:
    """The same project, with the settings of before, of the present tree."""
    env = {**before.env, "TAG": TAG}
    settings = str(before.tree / before.env_file)
    return replace(before, env=env, tree=ROOT, env_file=settings, makefile=MAKEFILE)


@pytest.fixture(scope="module")
def first(before: Stack) -> Model:
    """The models that the release of before came with."""
    return model_in(before.models)


@pytest.fixture(scope="module")
def second(first: Model, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Models with another golden score."""
    return candidate_in(tmp_path_factory.mktemp("second"), first.folder)


@pytest.fixture(scope="module")
def scores() -> dict[str, float]:
    """What each version of ``ml`` gave for the golden row under the release of before."""
    return {}


def served(stack: Stack) -> tuple[str, float]:
    """Return version and score of the answer for the golden row."""
    rows = json.dumps({"rows": [golden_row(stack.models)]}).encode()
    status, body = stack.ask("adapter", "/predict", rows)
    assert status == 200 and body["model_variant"] == "ml", body
    return body["version"], body["scores"][0]


def newest(stack: Stack) -> tuple[str, int]:
    """Return feed and event time of the newest prediction."""
    status, latest = stack.ask("monitor", "/predictions/latest?product=BTC-USD")
    return (latest["feed"], int(latest["time_us"])) if status == 200 else ("", 0)


def told(stack: Stack, script: Path, *arguments: str) -> Any:
    """Run a script in a container that reaches the broker, and return the JSON it prints."""
    command = ("exec", "-T", "adapter", "python", "-", *arguments)
    return json.loads(stack.compose(*command, stdin=script.read_text()))


def unread(stack: Stack) -> int:
    """Return how many events there are that no row was made of."""
    found = told(stack, SCRIPTS / "kind" / "reading.py", "counts", "ticks", "features")
    return int(found["ticks"] - found["features"])


def test_a_model_is_deployed_before(
    before: Stack, first: Model, second: Model, scores: dict[str, float]
) -> None:
    """The release of before serves its own models, then another, each with its golden score."""
    before.up(*SERVING)
    scores.update([served(before)])
    before.make("deploy-model", f"DIR={second.folder}", "BECAUSE=a test")
    scores.update([served(before)])
    assert scores == {
        model.version: pytest.approx(model.score, abs=1e-9) for model in (first, second)
    }


def test_it_is_fed_and_left_with_work(before: Stack) -> None:
    """Predictions meet their outcomes; then events pile up that no row was made of yet."""
    before.up("ingestor")
    path = "/predictions?product=BTC-USD&limit=1000"
    until(lambda: '"outcome": {' in json.dumps(before.ask("monitor", path)[1]), PATIENCE)
    before.compose("stop", "featurizer", "scorer")
    done = unread(before)
    until(lambda: unread(before) > done + UNREAD, PATIENCE)
    before.compose("stop", "ingestor")


def test_the_present_tree_serves_the_model_of_before(
    before: Stack, after: Stack, second: Model, scores: dict[str, float]
) -> None:
    """With folders and settings of before the deployed model gives the same score, to the bit."""
    reached = newest(before)
    after.up(*SERVING, "ingestor")
    images = {name: each["Config"]["Image"] for name, each in after.containers().items()}
    assert {image for image in images.values() if image.startswith(OURS)} == {
        f"{OURS}stream:{TAG}",
        f"{OURS}ml:{TAG}",
    }
    assert served(after) == (second.version, scores[second.version])
    # The same market, from its beginning, until it is where the release of before saw it last.
    until(lambda: newest(after)[0] != reached[0] and newest(after)[1] > reached[1], PATIENCE)


def test_nothing_was_lost(after: Stack, second: Model) -> None:
    """Every event of before and since has its row, every row its prediction by this model."""
    after.compose("stop", "ingestor")
    audit = ("python", "-m", "local.audit", "--across", "--digest", second.digest)
    report = json.loads(after.compose("exec", "-T", "featurizer", *audit, "--timeout", "600"))
    assert report["whole"] and report["features"]["records"] > UNREAD


def test_both_releases_made_the_same(after: Stack) -> None:
    """Events, rows and scores that both made of the market are equal, to the bit.

    Rows are compared in what both releases tell of them, but for a volatility known sooner.
    """
    found = told(after, SCRIPTS / "twice.py")
    for topic in ("ticks", "features", "predictions"):
        assert found[topic]["shared"] > UNREAD and not found[topic]["differing"], found


def test_the_model_before_comes_back(after: Stack, first: Model, scores: dict[str, float]) -> None:
    """What the release of before kept is deployed again, with its score of then."""
    after.make("deploy-model", "TO=previous")
    assert served(after) == (first.version, scores[first.version])


@pytest.mark.parametrize(
    ("then", "now", "pattern"),
    [
        (".env.example", "env/example.env", r"^(\w+)="),
        ("docs/settings.md", "docs/settings.md", r"^\| `(\w+)` \|"),
    ],
)
def test_settings_of_before_are_known(before: Stack, then: str, now: str, pattern: str) -> None:
    """No setting of the release of before has gone without a word."""
    names = re.findall(pattern, (before.tree / then).read_text(), re.MULTILINE)
    known = re.findall(pattern, (ROOT / now).read_text(), re.MULTILINE)
    assert names and set(names) <= set(known)


def test_it_ends_by_itself(after: Stack) -> None:
    """`down -v` of the present tree leaves nothing of either release."""
    after.compose("--profile", "*", "down", "--volumes")
    label = f"label=com.docker.compose.project={PROJECT}-upgrade"
    for kind in (["container", "ls", "--all"], ["volume", "ls"], ["network", "ls"]):
        assert after.run("docker", *kind, "--quiet", "--filter", label).stdout == ""

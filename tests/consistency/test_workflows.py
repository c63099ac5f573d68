"""The workflows of GitHub run the targets of .ci/run: pinned, bounded, with rights to read."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text() for path in WORKFLOWS}
MAKE = re.compile(r"^ *make((?: +[a-z][a-z0-9-]*)+) *$", re.MULTILINE)
SET_UP = {"images", "kind-cluster"}
"""What other targets begin with: a step of its own on either side, so that a failure tells."""
WRITES = dict.fromkeys(("packages", "id-token", "attestations"), "write")
PUBLISHES = {"publish.yml": {"contents": "read", **WRITES}}
"""What asks for more than to read, and for what: only a tag starts it, and it is never cut off."""
TARGETS_OF_TAGS = {"publish"}
"""What is for a registry, and so is not checked here."""
WITH_HISTORY = {"upgrade-drill"}
"""What takes the release of before from git, and so needs more than the newest commit."""


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every job of every workflow."""
    for name, text in TEXTS.items():
        for job, said in yaml.safe_load(text)["jobs"].items():
            yield f"{name}: {job}", said


def steps() -> Iterator[dict[str, Any]]:
    """Every step of every job."""
    return (step for _, job in jobs() for step in job["steps"])


def targets(script: str) -> set[str]:
    """The targets that a script has made."""
    return {target for found in MAKE.findall(script) for target in found.split()}


def test_targets_are_found_in_scripts() -> None:
    """Several targets of one line are found, and no other words."""
    assert targets("make lint\n  make rules-test dashboards-test\nremake x\n# make y z.") == {
        "lint",
        "rules-test",
        "dashboards-test",
    }


@pytest.mark.parametrize("name", TEXTS)
def test_every_action_is_pinned_by_commit(name: str) -> None:
    """An action is named by forty hexadecimal digits, with its version beside."""
    used = re.findall(r"uses: (.*)", TEXTS[name])
    assert used
    for said in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", said)


def test_an_action_has_one_version() -> None:
    """No two workflows use different commits of one action."""
    used = {step["uses"] for step in steps() if "uses" in step}
    assert len({said.split("@")[0] for said in used}) == len(used)


@pytest.mark.parametrize("name", TEXTS)
def test_rights_are_to_read_only(name: str) -> None:
    """A workflow may read what is in the repository, and a job asks for more to publish alone."""
    workflow = yaml.safe_load(TEXTS[name])
    assert workflow["permissions"] == {"contents": "read"}
    asked = [job["permissions"] for job in workflow["jobs"].values() if "permissions" in job]
    assert asked == ([PUBLISHES[name]] if name in PUBLISHES else [])
    assert "secrets." not in TEXTS[name]


@pytest.mark.parametrize("name", PUBLISHES)
def test_a_tag_alone_publishes(name: str) -> None:
    """No push to a branch, and no pull request, comes near the registry."""
    assert yaml.safe_load(TEXTS[name])[True] == {"push": {"tags": ["v*"]}}  # YAML: on is true


@pytest.mark.parametrize("name", TEXTS)
def test_a_newer_push_ends_the_older_run(name: str) -> None:
    """One run per branch at a time; what publishes ends by itself."""
    concurrency = yaml.safe_load(TEXTS[name])["concurrency"]
    assert "github.ref" in concurrency["group"]
    assert concurrency["cancel-in-progress"] is (name not in PUBLISHES)


@pytest.mark.parametrize(("name", "job"), list(jobs()))
def test_every_job_is_bounded(name: str, job: dict[str, Any]) -> None:
    """A job ends by itself, on a named system, and keeps no credentials of the checkout."""
    assert job["timeout-minutes"] <= 60
    assert re.fullmatch(r"ubuntu-\d+\.\d+", job["runs-on"])
    checkout = next(it for it in job["steps"] if it.get("uses", "").startswith("actions/checkout@"))
    called = targets("\n".join(step.get("run", "") for step in job["steps"]))
    history = {"fetch-depth": 0} if called & WITH_HISTORY else {}
    assert checkout["with"] == {"persist-credentials": False, **history}


def test_steps_run_targets_and_nothing_else() -> None:
    """What a workflow does, anybody can do by `make`."""
    assert all(re.fullmatch(r"make( [a-z][a-z0-9-]*)+", it["run"]) for it in steps() if "run" in it)


def test_every_target_exists() -> None:
    """The Makefile has each target that a workflow or .ci/run calls."""
    rules = "".join(path.read_text() for path in [ROOT / "Makefile", *ROOT.glob("make/*.mk")])
    known = set(re.findall(r"^([a-z][a-z0-9-]*):", rules, re.MULTILINE))
    called = targets("\n".join(step.get("run", "") for step in steps()))
    assert called | targets((ROOT / ".ci" / "run").read_text()) <= known


def test_both_call_the_same_targets() -> None:
    """.ci/run and the workflows check the same things."""
    called = targets("\n".join(step.get("run", "") for step in steps()))
    assert called - SET_UP - TARGETS_OF_TAGS == targets((ROOT / ".ci" / "run").read_text()) - SET_UP

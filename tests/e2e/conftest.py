"""The system in containers: the present tree's, and the release's of before."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e import before as release
from tests.e2e.stack import PROJECT, PUBLISHED, ROOT, Stack, free_ports

# They need a container engine and have targets of their own: compose-test, upgrade-drill.
TARGETS = {"COMPOSE_TEST": "test_compose.py", "UPGRADE_TEST": "test_upgrade.py"}
collect_ignore = [name for variable, name in TARGETS.items() if not os.environ.get(variable)]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system on the generated market at ten times its speed, on free ports."""
    stack = stack_in(tmp_path_factory.mktemp("compose"), PROJECT, ROOT / "model-settings")
    with going(stack):
        started = time.monotonic()
        stack.up()
        yield replace(stack, ready_seconds=time.monotonic() - started)


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The release of before with its own models, under a name of its own; the test starts it."""
    folder = tmp_path_factory.mktemp("before")
    stack = stack_in(folder, f"{PROJECT}-upgrade", release.unpack() / "model-settings")
    env = {**stack.env, "TAG": release.RELEASE}
    files = {"tree": release.TREE, "env_file": "replay.env", "makefile": "compose.mk"}
    with going(replace(stack, env=env, **files)) as stack:
        yield stack


def stack_in(folder: Path, project: str, models: Path) -> Stack:
    """Return a project that serves a copy of these models, kept in a folder."""
    shutil.copytree(models, folder / "model-settings")
    (folder / "kept").mkdir()
    ports = zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True)
    env = {
        **os.environ,
        "COMPOSE_PROJECT_NAME": project,
        "MODELS": str(folder / "model-settings"),
        "KEPT": str(folder / "kept"),
        "SPEED": "10",
        "SEED": "7",
        "VOLATILITY": "moods",
        "RATE_LIMIT": "100000/minute",
        **{f"{name}_PUBLISHED": str(port) for name, port in ports},
    }
    return Stack(env, folder / "model-settings")


@contextmanager
def going(stack: Stack) -> Iterator[Stack]:
    """Take the project and its data away at the end."""
    try:
        yield stack
    finally:
        stack.compose("--profile", "*", "down", "--volumes", "--timeout", "20")

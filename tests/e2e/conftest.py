"""The system in containers, started once for all tests of this folder."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.e2e.stack import PROJECT, PUBLISHED, ROOT, Stack, compose, free_ports

# It needs a container engine and has a target of its own, `make compose-test`.
collect_ignore = [] if os.environ.get("COMPOSE_TEST") else ["test_compose.py"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system on the generated market at ten times its speed, on free ports."""
    folder = tmp_path_factory.mktemp("compose")
    shutil.copytree(ROOT / "model-settings", folder / "model-settings")
    (folder / "kept").mkdir()
    ports = zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True)
    env = {
        **os.environ,
        "COMPOSE_PROJECT_NAME": PROJECT,
        "MODELS": str(folder / "model-settings"),
        "KEPT": str(folder / "kept"),
        "SPEED": "10",
        "RATE_LIMIT": "100000/minute",
        **{f"{name}_PUBLISHED": str(port) for name, port in ports},
    }
    started = time.monotonic()
    up = subprocess.run(
        [*compose(), "up", "--detach", "--wait"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    running = Stack(env, folder / "model-settings", time.monotonic() - started)
    try:
        if up.returncode:
            logs = running.compose("logs", "--no-color", "--tail", "15")
            pytest.fail(f"up --wait ended with {up.returncode}: {up.stderr[-2000:]}\n{logs}")
        yield running
    finally:
        running.compose("--profile", "*", "down", "--volumes", "--timeout", "20")

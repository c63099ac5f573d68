"""The supervisor, with small Python children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.plan import ROOT, Program
from local.processes import Supervisor, wait_until
from local.spawn import end, spawn, tail
from tests.waiting import patience

pytestmark = pytest.mark.process

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)"
)
FAILING = "import sys; print('cannot reach the market', flush=True); sys.exit(3)"


def _service(name: str, program: str, env: dict[str, str] | None = None) -> Program:
    return Program(name, (sys.executable, "-c", program), env or {}, port=1)


class _Run:
    """A supervisor with what it said, and answers to its questions."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.status: int | None = 200
        self.folder = folder
        self.supervisor = Supervisor(folder, self.said.append, ask=lambda port, path: self.status)

    def wait_up(self, name: str) -> None:
        """Wait until the child has said that it is up."""
        log = self.supervisor.children[name].log
        assert wait_until(lambda: "up" in tail(log), patience(10)), tail(log)

    def wait_dead(self, name: str) -> None:
        """Wait until the child has died."""
        assert wait_until(lambda: not self.supervisor.children[name].alive, patience(10))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[_Run]:
    made = _Run(tmp_path)
    yield made
    made.supervisor.end_all(last="broker", grace=0.5)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_dead_child_is_named_once_with_its_last_lines(run: _Run) -> None:
    """Its name, exit code, last log lines and the way back are told, once; it is not restarted."""
    run.supervisor.start(_service("scorer", FAILING))
    run.wait_dead("scorer")
    run.supervisor.look()
    run.supervisor.look()
    assert len(run.said) == 1
    for part in ("scorer ended with 3", "cannot reach the market", "local restart scorer"):
        assert part in run.said[0]
    assert run.supervisor.missing() == ["scorer"]


def test_a_child_is_ready_when_all_its_probes_say_so(run: _Run) -> None:
    """503 keeps it starting, 200 makes it ready."""
    run.supervisor.start(_service("monitor", SLEEPER))
    run.status = 503
    run.supervisor.look()
    assert run.supervisor.children["monitor"].state == "starting"
    assert run.supervisor.missing() == ["monitor"]
    run.status = 200
    run.supervisor.look()
    assert run.supervisor.ready() and run.supervisor.missing() == []


def test_a_restart_brings_the_same_service_back(run: _Run) -> None:
    """The new process has the settings of the old one and is alive."""
    program = "import os, time; print('up', os.environ['TICK'], flush=True); time.sleep(60)"
    run.supervisor.start(_service("featurizer", program, {"TICK": "tock"}))
    run.wait_up("featurizer")
    first = run.supervisor.children["featurizer"].process
    first.send_signal(signal.SIGKILL)
    run.wait_dead("featurizer")
    run.supervisor.restart("featurizer")
    again = run.supervisor.children["featurizer"]
    assert wait_until(lambda: tail(again.log).count("up tock") == 2, patience(10))
    assert again.alive and again.process.pid != first.pid


def test_the_end_leaves_nobody(run: _Run) -> None:
    """A child that ignores SIGTERM is killed in the end, the broker after the others."""
    for name, program in (("broker", SLEEPER), ("scorer", STUBBORN), ("monitor", SLEEPER)):
        run.supervisor.start(_service(name, program))
        run.wait_up(name)
    began = time.monotonic()
    run.supervisor.end_all(last="broker", grace=0.5)
    assert time.monotonic() - began < 5
    assert not any(child.alive for child in run.supervisor.children.values())


def test_the_end_takes_grandchildren_too(run: _Run) -> None:
    """What a child left behind in its process group is killed with it."""
    program = (
        "import subprocess, sys, time;"
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]);"
        "print('up', p.pid, flush=True); time.sleep(60)"
    )
    run.supervisor.start(_service("mlserver", program))
    log = run.supervisor.children["mlserver"].log
    assert wait_until(lambda: "up " in tail(log), patience(10))
    pid = int(tail(log).split("up ")[1].split()[0])
    run.supervisor.end_all(last="broker", grace=0.5)
    assert wait_until(lambda: not _exists(pid), patience(5))


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    """Killing the parent without warning kills its children as well."""
    program = (
        "import sys, time; from pathlib import Path; from local.spawn import spawn;"
        f"p = spawn([sys.executable, '-c', {SLEEPER!r}], Path(sys.argv[1]));"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "child.log")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    with parent.stdout as out:
        child = int(out.readline())
    assert _exists(child)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not _exists(child), patience(5))


def test_logs_are_appended_and_read_from_the_end(tmp_path: Path) -> None:
    """A restarted child's log goes on below the old one; the tail is its last lines."""
    log = tmp_path / "service.log"
    for word in ("first", "second"):
        process = spawn([sys.executable, "-c", f"print('{word}')"], log)
        process.wait()
        end([process], grace=0.1)
    assert tail(log) == "first\nsecond" and tail(log, lines=1) == "second"
    assert tail(tmp_path / "none.log") == ""

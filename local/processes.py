"""The supervisor: starts children, sees them die, restarts them when asked, ends them all."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.plan import ROOT, Program, environment
from local.spawn import end, spawn, tail
from local.web import status_of

Ask = Callable[[int, str], int | None]


ASK_AGAIN_SECONDS: Final = 2.0


@dataclass(slots=True)
class Child:
    """A program as it runs; ``reported`` once its death was told, ``asked`` when it was asked."""

    program: Program
    process: subprocess.Popen[bytes]
    log: Path
    ready: bool = False
    been_ready: bool = False
    reported: bool = False
    asked: float = 0.0

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.process.poll() is None

    @property
    def state(self) -> str:
        """ready, starting, not ready, or ended with its exit code."""
        if not self.alive:
            return f"ended with {self.process.returncode}"
        if self.ready:
            return "ready"
        return "not ready" if self.been_ready else "starting"


class Supervisor:
    """Children by name, each with a log file of its own in ``folder``."""

    def __init__(self, folder: Path, say: Callable[[str], None], *, ask: Ask = status_of) -> None:
        self.children: dict[str, Child] = {}
        self._folder, self._say, self._ask = folder, say, ask

    def start(self, program: Program) -> Child:
        """Start a program, or start it again with the same port and settings."""
        log = self._folder / f"{program.name}.log"
        process = spawn(program.command, log, environment(program.env), ROOT)
        child = self.children[program.name] = Child(program, process, log)
        return child

    def restart(self, name: str) -> None:
        """End a child if it still runs, and start it anew; raises ``KeyError`` if unknown."""
        child = self.children[name]
        end([child.process], grace=5.0)
        self.start(child.program)
        self._say(f"{name} restarted")

    def look(self) -> None:
        """Ask who is ready, and tell once of each that has died, with its last log lines."""
        for child in self.children.values():
            if child.alive:
                self._inquire(child)
            elif not child.reported:
                child.ready, child.reported = False, True
                self._tell(child)

    def ready(self, *names: str) -> bool:
        """True if all children named (all, without names) are ready."""
        return all(self.children[name].ready for name in names or self.children)

    def missing(self) -> list[str]:
        """Name the children that are dead, or never became ready."""
        return [n for n, child in self.children.items() if not (child.alive and child.been_ready)]

    def end(self, name: str, grace: float) -> None:
        """End one child."""
        end([self.children[name].process], grace)

    def end_all(self, last: str, grace: float = 2.5) -> None:
        """End all at once, but one after the others, who need it to finish.

        That one is killed: the embedded broker's data are thrown away.
        """
        others = [child.process for name, child in self.children.items() if name != last]
        end(others, grace)
        if last in self.children:
            end([self.children[last].process], grace=0.0)

    def _inquire(self, child: Child) -> None:
        now = time.monotonic()
        if child.ready and now - child.asked < ASK_AGAIN_SECONDS:
            return
        paths, port = child.program.ready, child.program.port
        child.asked = now
        child.ready = all(self._ask(port, path) == 200 for path in paths)
        child.been_ready = child.been_ready or child.ready

    def _tell(self, child: Child) -> None:
        name = child.program.name
        self._say(
            f"{name} {child.state}; its last lines in {child.log}:\n{tail(child.log)}\n"
            f"bring it back with: python -m local restart {name}"
        )


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Wait until the condition holds; false if it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True

"""What the drill did, how long each step took, and how many requests failed meanwhile."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.e2e.kind.load import TIMEOUT, Load, as_json
from tests.waiting import eventually, slowness

LONGEST: Final = float(os.environ.get("STEP_SECONDS", "60"))
"""Seconds that a step under load may take; a machine that does other work may be given more."""

SLOWEST: Final = 3.0
"""A machine with many processes for each core gets so many times as long, and no more."""


@dataclass(slots=True)
class Step:
    """One line of the report; without ``requests`` no load was on.

    ``answers`` tells who gave them: one by ``baseline`` where ``ml`` serves is the adapter's own,
    while it could not reach the model server.
    """

    name: str
    seconds: float = 0.0
    requests: int | None = None
    failures: int = 0
    slowest_ms: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    note: str = ""
    passed: bool = False


@dataclass(slots=True)
class Report:
    """The steps so far; ``load`` is there once the system answers."""

    load: Load | None = None
    steps: list[Step] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    pace: Callable[[], float] = slowness

    @contextmanager
    def step(self, name: str, times: float = 1.0) -> Iterator[Step]:
        """Time what is done inside, and count requests; no request may fail, nor time run out.

        ``times`` is for what is no step of the drill, and may take so many times as long.
        """
        step, longest = Step(name), times * LONGEST * min(self.pace(), SLOWEST)
        self.steps.append(step)
        if self.load is not None:
            self.load.enter(name)
        began = self.clock()
        try:
            yield step
            self._await_a_request(name)
            step.passed = True
        finally:
            step.seconds = round(self.clock() - began, 1)
            self._count(step)
        longest = max(longest, times * LONGEST * min(self.pace(), SLOWEST))
        step.passed = not step.failures and step.seconds <= longest
        failures = self.load.seen(name).failures if self.load else []
        assert not step.failures, f"{name}: {step.failures} requests failed: {failures[:5]}"
        assert step.seconds <= longest, f"{name}: took {step.seconds} s, at most {longest} s"

    def _await_a_request(self, name: str) -> None:
        """Let what was quickly done be seen by a client, too."""
        load = self.load
        if load is not None and load.on:
            eventually(lambda: load.seen(name).requests, f"{name}: a request meanwhile", TIMEOUT)

    def _count(self, step: Step) -> None:
        if self.load is None or not self.load.on:
            return
        seen = self.load.seen(step.name)
        step.requests, step.failures = seen.requests, len(seen.failures)
        step.slowest_ms = round(seen.slowest * 1000)
        step.answers = seen.answers()
        self.load.enter(f"after {step.name}")

    def lines(self) -> list[str]:
        """Return the table, and a sum."""
        wide = max([len(step.name) for step in self.steps], default=4)
        lines = [f"{'step':{wide}}  seconds  requests  failed  slowest ms"]
        lines += [_line(step, wide) for step in self.steps]
        if self.load is not None:
            phases = self.load.phases.values()
            every, failed = sum(p.requests for p in phases), len(self.load.failures)
            lines.append(f"{'all, with what lay between':{wide}}  {'':7}  {every:8}  {failed:6}")
            lines += [
                f"FAILED {f.when} {f.phase}: {f.client}: {f.reason}" for f in self.load.failures
            ]
        return lines

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        failures = as_json(self.load.failures) if self.load is not None else []
        told = {"steps": [asdict(step) for step in self.steps], "failures": failures}
        path.write_text(json.dumps(told, indent=1) + "\n")


def _line(step: Step, wide: int) -> str:
    requests = "" if step.requests is None else str(step.requests)
    failed = "" if step.requests is None else str(step.failures)
    slowest = "" if step.requests is None else str(step.slowest_ms)
    state = "" if step.passed else "  NOT PASSED"
    who = ", ".join(f"{count} by {name}" for name, count in sorted(step.answers.items()))
    note = "".join(f"  {told}" for told in (who, step.note) if told)
    return (
        f"{step.name:{wide}}  {step.seconds:7.1f}  {requests:>8}  {failed:>6}  {slowest:>10}"
        f"{note}{state}"
    )

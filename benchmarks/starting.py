"""How much CPU it takes until a service's code is loaded, and on what.

    python benchmarks/starting.py [--rounds 3]

Each import is a process of its own, its files in the page cache. Writes
``benchmarks/results/starting.json``.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(ROOT := Path(__file__).resolve().parents[1]))

from benchmarks.measure import Result, Table, interleaved, machine, write
from local.services import SERVICES

BARE: Final = "python alone"
PARTS: Final = (
    "kafka",
    "pydantic",
    "pydantic_settings",
    "structlog",
    "fastapi",
    "aiohttp",
    "numpy",
)
"""Libraries whose share is told."""


def modules() -> dict[str, str]:
    """Return by service the module that it runs; MLServer's runtime brings MLServer along."""
    ours = [row.command[2] for row in SERVICES if row.command[:2] == ("python", "-m")]
    return {name: f"{name}.__main__" for name in ours} | {"mlserver": "serving.runtime"}


def seconds_of(code: str) -> float:
    """Return the CPU seconds of a Python that runs a line."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def shares(module: str) -> dict[str, float]:
    """Return by library the share of a module's imports, each with all it imports first."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stderr
    lines = [line.split(":", 1)[1].split("|") for line in told.splitlines()[1:]]
    found = {name.strip(): int(microseconds) for _, microseconds, name in lines}
    return {part: found[part] / found[module] for part in PARTS if part in found}


def main() -> int:
    """Measure, write the result and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways: dict[str, Callable[[], float]] = {BARE: partial(seconds_of, "pass")}
    ways |= {name: partial(seconds_of, f"import {each}") for name, each in modules().items()}
    took = interleaved(ways, options.rounds)
    parts: dict[str, Any] = {name: shares(each) for name, each in modules().items()}
    lines = tuple(
        (
            name,
            f"{seconds:.2f}",
            ", ".join(f"{part} {share:.0%}" for part, share in parts.get(name, {}).items()) or "–",
        )
        for name, seconds in took.items()
    )
    about = (
        "CPU seconds until all is imported; a library's share is of the time of the imports,"
        " with what it brings along and was not there before."
    )
    columns = ("service", "seconds", "of that")
    table = Table("Loading a service", about, columns, lines)
    figures = {"seconds": took, "shares": parts}
    where = machine(("kafka-python", "pydantic", "fastapi"))
    sys.stdout.write(f"{write(Result('starting', where, (table,), figures))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What benchmarks share: times side by side in one run, and the machine they were taken on."""

import gc
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

RESULTS = Path(__file__).resolve().parent / "results"
Way = Callable[[], float]


class Table(msgspec.Struct, frozen=True):
    """A table of a page: a title, what it is of, its columns and rows of text."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Result(msgspec.Struct, frozen=True):
    """What one benchmark found in one run: its tables, all figures, and where it ran."""

    name: str
    machine: dict[str, Any]
    tables: tuple[Table, ...]
    figures: dict[str, Any]


def interleaved(ways: Mapping[str, Way], rounds: int) -> dict[str, float]:
    """Run all ways by turns, so many rounds; return the median of what each gave."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return {name: median(times) for name, times in found.items()}


def cpu_us(call: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Return the CPU time of a call for each item, in microseconds.

    What stands before is kept out of the sight of the collector, which runs on during the calls.
    """
    gc.collect()
    gc.freeze()
    began = time.process_time()
    for item in items:
        call(item)
    took = time.process_time() - began
    gc.unfreeze()
    return took / len(items) * 1e6


def calls(call: Callable[[Any], object], items: Iterable[Any]) -> list[float]:
    """Return the CPU time of each call by itself, in microseconds, in rising order.

    The thread's clock leaves the neighbours out; reading it costs some tenths of a microsecond.
    """
    clock, found = time.thread_time_ns, list[int]()
    for item in items:
        began = clock()
        call(item)
        found.append(clock() - began)
    return [ns / 1_000 for ns in sorted(found)]


def quantile(rising: Sequence[float], share: float) -> float:
    """Return the value that a share of them does not exceed."""
    return rising[min(len(rising) - 1, int(share * len(rising)))]


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """Return what a reader has to know of where a run was."""
    return {
        "python": platform.python_version(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "packages": {name: _version(name) for name in packages},
    }


def write(result: Result) -> Path:
    """Write a result where the page is made of it."""
    path = RESULTS / f"{result.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    return path


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if os.name == "posix" else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())

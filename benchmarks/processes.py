"""What running processes use, as the kernel counts it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, own threads included, and memory (MB; what is shared counts in part)."""

    cpu: float
    memory: float


def usage(pid: int) -> Usage:
    """Return what a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return Usage((int(fields[11]) + int(fields[12])) / TICKS_A_SECOND, kilobytes / 1_000)


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    found = Path("/proc").glob("[0-9]*/stat")
    return [int(path.parent.name) for path in found if _parent(path) == pid]


def _parent(path: Path) -> int:
    try:
        return int(path.read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return -1


def named(pids: Iterable[int]) -> dict[str, int]:
    """Return processes by what they run: a package of ours, ``mlserver`` or ``broker``."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in pids}
    return {name_of(words): pid for pid, words in commands.items()}


def name_of(words: Sequence[str]) -> str:
    """Return the name of what a command runs."""
    if "java" in words[0]:
        return "broker"
    if "-m" in words:
        return words[words.index("-m") + 1]
    return next((Path(word).name for word in words if word.endswith("mlserver")), words[0])

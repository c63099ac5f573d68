"""How long a day of BTC ticks takes to become a dataset, and how much memory.

    python benchmarks/dataset.py --ticks 500000 --work .run/benchmarks

The day is a generated market (seeded, so every run reads the same bytes): whole frames with
heartbeats and trades, as the ingestor's raw capture keeps them. It is written once and kept.
"""

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulator.market import frames
from training.commands.bars import Bars
from training.data.dataset import build
from training.data.parallel import BackendName, Executor

SEED: Final = 7
START_US: Final = 1_750_032_000_000_000
"""A midnight."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the day if it is not there, build the dataset and print what it took, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=500_000)
    parser.add_argument("--work", type=Path, default=Path(".run/benchmarks"))
    parser.add_argument("--backend", choices=("sequential", "processes"), default="processes")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    recording = options.work / f"day-{options.ticks}.ndjson"
    if not recording.exists():
        _generate(recording, options.ticks)
    found = _measure(recording, options.work / "day.parquet", options.backend)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def _generate(path: Path, ticks: int) -> None:
    part = path.with_suffix(".part")
    count: Counter[bool] = Counter()
    with part.open("wb") as file:
        for frame in frames(SEED, ("BTC-USD",), START_US):
            count[frame.data.startswith(b'{"channel":"ticker"')] += 1
            file.write(frame.data + b"\n")
            if count[True] == ticks:
                break
    part.replace(path)


def _measure(recording: Path, out: Path, backend: BackendName) -> dict[str, float]:
    began, cpu = time.perf_counter(), time.process_time()
    with Bars() as bars:
        dataset = build([recording], _quiet, keep=out, executor=Executor(backend), progress=bars)
    seconds = time.perf_counter() - began
    counts = dataset.counts
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "ticks": counts["events_accepted"],
        "rows": sum(n for name, n in counts.items() if name.startswith("rows_")),
        "seconds": round(seconds, 1),
        "cpu_seconds_here": round(time.process_time() - cpu, 1),
        "ticks_per_second": round(counts["events_accepted"] / seconds),
        "megabytes_read": round(recording.stat().st_size / 1e6),
        "peak_megabytes": round(max(u.ru_maxrss for u in usage) / 1024),
    }


def _quiet(_: str) -> None:
    """Say nothing."""


if __name__ == "__main__":
    sys.exit(main())

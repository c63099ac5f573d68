"""The whole demo at some rates: where a prediction's time goes, and what each process uses.

    python benchmarks/pipeline.py [--seconds 20]

Each run is ``python -m local demo`` on a generated market with its own broker. One without ticks
shows what is used when idle. Writes ``benchmarks/results/pipeline.json``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(ROOT := Path(__file__).resolve().parents[1]))

from benchmarks.measure import Result, Table, machine, write
from benchmarks.processes import Usage, children, named, usage
from local.summary import STAGES

SPEEDS: Final = {"idle": 0.01, "10": 1.15, "100": 11.5}
"""By the ticks a second that they bring about: those of two products' generated market."""
ORDER: Final = (
    *("broker", "simulator", "ingestor", "featurizer", "scorer"),
    *("mlserver", "adapter", "monitor"),
)
OTHERS: Final = ("broker", "simulator")
"""Not of the product; at the desk one is Kafka's and the other the exchange."""
Used = dict[str, tuple[float, float]]
"""By process the share of a core and the memory (MB)."""


def run(speed: float, seconds: float, whole: bool = False) -> tuple[dict[str, Any], Used]:
    """Run the demo; return its summary and what its children used while it ran.

    With ``whole`` that is CPU seconds until all that was under way came through.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = {"SPEED": str(speed), "DURATION": str(seconds), "RUN_DIR": f"{folder}/demo"}
        demo = subprocess.Popen(
            [sys.executable, "-m", "local", "demo"],
            cwd=ROOT,
            env=os.environ | told,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert demo.stderr is not None and demo.stdout is not None
        for line in demo.stderr:
            if line.startswith("ready after"):
                break
        used = _until_the_end(demo.pid) if whole else _used(demo.pid, seconds * 0.8)
        summary = json.loads(demo.communicate()[0].splitlines()[-1])
    return summary, used


def _used(pid: int, seconds: float) -> Used:
    pids = named(children(pid))
    began, before = time.monotonic(), {name: usage(each) for name, each in pids.items()}
    time.sleep(seconds)
    took, after = time.monotonic() - began, {name: usage(each) for name, each in pids.items()}
    return {name: _share(before[name], after[name], took) for name in pids}


def _until_the_end(pid: int) -> Used:
    """Look twice a second until a child has ended."""
    pids = named(children(pid))
    before = after = {name: usage(each) for name, each in pids.items()}
    while True:
        time.sleep(0.5)
        try:
            after = {name: usage(each) for name, each in pids.items()}
        except (OSError, StopIteration):
            break
    return {name: (after[name].cpu - before[name].cpu, after[name].memory) for name in pids}


def _share(before: Usage, after: Usage, took: float) -> tuple[float, float]:
    return (after.cpu - before.cpu) / took, after.memory


def waterfall(summaries: dict[str, dict[str, Any]]) -> Table:
    """Put stages under each other."""
    rates = [rate for rate in summaries if rate != "idle"]
    lines = []
    for stage in STAGES:
        found = [summaries[rate]["latency_ms"][stage] for rate in rates]
        shown = [f"{each['p50']:.1f} / {each['p99']:.1f}" for each in found]
        lines.append((stage.replace("_", " "), *shown))
    about = "Milliseconds, p50 / p99, by the times that records and the broker carry."
    columns = ("stage", *(f"{rate} ticks/s" for rate in rates))
    return Table("Tick to prediction through Kafka", about, columns, tuple(lines))


def processes(used: dict[str, Used]) -> Table:
    """Put what each process used beside each other."""
    names = [name for name in ORDER if name in used["idle"]]
    lines = [
        (name, *(f"{each[name][0]:.1%}" for each in used.values()), f"{_most(used, name):.0f}")
        for name in names
    ]
    ours = [name for name in names if name not in OTHERS]
    for title, some in (("ours, without broker and simulator", ours), ("all", names)):
        shares = (sum(each[name][0] for name in some) for each in used.values())
        memory = sum(_most(used, name) for name in some)
        lines.append((title, *(f"{share:.0%}" for share in shares), f"{memory:.0f}"))
    about = "Share of one core, and memory (MB, shared pages in part; the most of the runs)."
    columns = ("process", "idle", *(f"{r} ticks/s" for r in used if r != "idle"), "MB")
    return Table("What each process uses", about, columns, tuple(lines))


def _most(used: dict[str, Used], name: str) -> float:
    return max(each[name][1] for each in used.values())


def starts(summaries: dict[str, dict[str, Any]]) -> Table:
    """Say when the first prediction came."""
    first = [s["seconds_to_first_prediction"] for s in summaries.values()]
    shown = (f"{min(each for each in first if each is not None):.1f}",)
    about = "Seconds from the command on, broker included; the best of the runs."
    return Table("First prediction of the demo", about, ("seconds",), (shown,))


def aims(summaries: dict[str, dict[str, Any]], used: dict[str, Used]) -> Table:
    """Put what was aimed at, of a machine that does nothing else, beside what this run reached."""
    ours = sum(share for name, (share, _) in used["10"].items() if name not in OTHERS)
    memory = sum(_most(used, name) for name in used["10"])
    whole = summaries["100"]["latency_ms"]["tick_to_prediction"]
    first = starts(summaries).rows[0][0]
    lines = (
        ("ours at 10 ticks/s", "at most 25% of a core", f"{ours:.0%}"),
        ("memory, with the broker", "at most 650 MB", f"{memory:.0f} MB"),
        ("tick to prediction, 100 ticks/s, p50", "at most 8 ms", f"{whole['p50']:.0f} ms"),
        ("tick to prediction, 100 ticks/s, p99", "at most 25 ms", f"{whole['p99']:.0f} ms"),
        ("first prediction of the demo", "below 8 s", f"{first} s"),
    )
    about = "Times are those of a machine as busy as the load above says."
    return Table("Aims of the whole", about, ("what", "aim", "reached"), lines)


def main() -> int:
    """Measure, write the result and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    found = {rate: run(speed, options.seconds) for rate, speed in SPEEDS.items()}
    summaries = {rate: summary for rate, (summary, _) in found.items()}
    used = {rate: each for rate, (_, each) in found.items()}
    tables = (aims(summaries, used), waterfall(summaries), processes(used), starts(summaries))
    where = machine(("kafka-python", "mlserver"))
    figures = {"summaries": summaries, "used": used}
    sys.stdout.write(f"{write(Result('pipeline', where, tables, figures))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

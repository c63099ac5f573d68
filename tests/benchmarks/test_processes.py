"""What processes use is what the kernel counts, by the names of what they run."""

import os
import time

from benchmarks.pipeline import aims, processes, starts, waterfall
from benchmarks.processes import children, name_of, named, usage
from local.summary import STAGES


def test_a_busy_process_uses_cpu_and_memory() -> None:
    """What this one burns is counted, threads and all."""
    before, began = usage(os.getpid()), time.process_time()
    while time.process_time() - began < 0.1:
        pass
    after = usage(os.getpid())
    assert after.cpu - before.cpu >= 0.05
    assert after.memory > 5


def test_children_are_named_by_what_they_run() -> None:
    """A package of ours by its name, the others by theirs."""
    assert os.getpid() in children(os.getppid())
    assert [*named([os.getpid()]).values()] == [os.getpid()]
    assert name_of(["/venv/bin/python", "-m", "scorer", ""]) == "scorer"
    assert name_of(["/venv/bin/python", "/venv/bin/mlserver", "start", "models"]) == "mlserver"
    assert name_of(["/opt/java/bin/java", "-Xmx512m", "kafka.Kafka"]) == "broker"


def test_tables_have_a_line_for_each_stage_and_process() -> None:
    """Sums leave out the broker and the simulator, and then do not."""
    used = {
        "idle": {"broker": (0.1, 300.0), "scorer": (0.01, 80.0), "monitor": (0.02, 90.0)},
        "10": {"broker": (0.2, 310.0), "scorer": (0.03, 85.0), "monitor": (0.04, 95.0)},
    }
    latency = {stage: {"p50": 1.0, "p95": 2.0, "p99": 3.0} for stage in STAGES}
    summary = {"latency_ms": latency, "seconds_to_first_prediction": 7.25}
    summaries = {"idle": summary, "10": summary, "100": summary}
    assert [row[0] for row in processes(used).rows[:3]] == ["broker", "scorer", "monitor"]
    assert processes(used).rows[3][1:] == ("3%", "7%", "180")
    assert processes(used).rows[4][1:] == ("13%", "27%", "490")
    assert [row[2] for row in aims(summaries, used).rows] == [
        *("7%", "490 MB", "1 ms", "3 ms", "7.2 s")
    ]
    assert {row[1] for row in waterfall(summaries).rows} == {"1.0 / 3.0"}
    assert len(waterfall(summaries).rows) == len(STAGES)
    assert starts(summaries).rows == (("7.2",),)

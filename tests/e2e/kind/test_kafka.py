"""Brokers are killed one by one while a market of known content runs: nothing of it is lost."""

import pytest

from tests.e2e.kind import run
from tests.e2e.kind.drill import Drill, until
from tests.e2e.models import Model

SPEED = 2.5


def test_a_counted_run_begins(drill: Drill) -> None:
    """An upgrade moves everything to topics of their own, with no failed request."""
    drill.start_load()
    with drill.report.step("helm upgrade: fresh topics, six products", 2):
        run.begin(drill, "one-", SPEED)
        until(lambda: drill.counts("predictions")["predictions"] > 0)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_broker_is_killed(drill: Drill, number: int) -> None:
    """The broker comes back, and every copy of every partition is whole again."""
    with drill.report.step(f"kill broker {number}"):
        name = f"{drill.cluster.named('kafka')}-{number}"
        (before,) = [pod.uid for pod in drill.cluster.pods("kafka") if pod.name == name]
        # One second to end, then SIGKILL; with none at all two of one name might run at once.
        drill.cluster.kubectl("delete", "pod", name, "--grace-period=1", "--wait=false")
        until(lambda: before not in {pod.uid for pod in drill.cluster.pods("kafka")})
        until(lambda: drill.cluster.ready("kafka", 3))
        until(drill.in_sync)
    assert run.state_of(drill) == "running", "the market ended before the broker was back"


def test_nothing_was_lost(drill: Drill, first: Model) -> None:
    """Every tick, row and prediction is there; what came twice is equal to the bit."""
    with drill.report.step("the run ends; counted by content", 4) as step:
        run.until_over(drill)
        found = run.counted(drill, first)
        step.note = str(found)
    assert found.repeats_equal, found.report
    drill.rows_sha256["one replica"] = found.rows_sha256

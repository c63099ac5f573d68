"""The drill's report holds each step, also one that went wrong."""

import json
from pathlib import Path

import pytest

from tests.e2e.kind.load import Load, Phase
from tests.e2e.kind.report import Report


def ticking(seconds: float, pace: float = 1.0) -> Report:
    """Return a report whose clock goes on by so much at each look, on a machine of this pace."""
    now = iter(range(10_000))
    return Report(clock=lambda: next(now) * seconds, pace=lambda: pace)


def test_a_step_takes_its_time() -> None:
    """Seconds run from the beginning of a step to its end."""
    report = ticking(7.0)
    with report.step("install"):
        pass
    assert report.steps[0].seconds == 7.0 and report.steps[0].passed


def test_a_step_that_takes_too_long_fails() -> None:
    """The limit is part of the promise."""
    report = ticking(61.0)
    with pytest.raises(AssertionError, match=r"took 61.0 s, at most 60.0 s"), report.step("drain"):
        pass
    assert not report.steps[0].passed


def test_a_busy_machine_has_longer_within_bounds() -> None:
    """Up to three times as long, however busy it is."""
    report = ticking(179.0, pace=40.0)
    with report.step("drain"):
        pass
    slow = ticking(181.0, pace=40.0)
    with pytest.raises(AssertionError, match=r"at most 180\.0 s"), slow.step("drain"):
        pass


def test_a_step_that_fails_stays_in_the_report() -> None:
    """An error inside goes on, and the step is marked."""
    report = ticking(1.0)
    with pytest.raises(ValueError, match="away"), report.step("undo"):
        raise ValueError("away")
    assert "NOT PASSED" in report.lines()[1]


def test_the_report_is_kept(tmp_path: Path) -> None:
    """It is written as JSON."""
    report = ticking(2.0)
    with report.step("install") as step:
        step.note = "three nodes"
    report.write(tmp_path / "e2e" / "report.json")
    told = json.loads((tmp_path / "e2e" / "report.json").read_text())
    assert told["steps"][0]["note"] == "three nodes" and told["failures"] == []


class Clients(Load):
    """Clients that answer as they are told, and of which none is real."""

    def __init__(self, looks: int) -> None:
        super().__init__("", 0, {})
        self.looks = looks

    def seen(self, phase: str) -> Phase:
        """The first request comes after so many looks."""
        self.looks -= 1
        return Phase(requests=int(self.looks < 0))


def test_a_step_that_is_done_at_once_waits_for_a_request() -> None:
    """What no client saw would prove nothing; three looks later one has."""
    report = Report(load=Clients(3))
    with report.step("what was done already"):
        pass
    assert report.steps[0].requests == 1 and report.steps[0].passed


def test_a_step_that_no_client_sees_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load has died."""
    monkeypatch.setattr("tests.e2e.kind.report.TIMEOUT", 0.0)
    with (
        pytest.raises(AssertionError, match="upgrade: a request meanwhile"),
        Report(load=Clients(10_000)).step("upgrade"),
    ):
        pass

"""Leads: what stood at an onset, and what chance gives."""

import numpy as np
import pytest

from signals.leads import chance, leads
from signals.runs import Runs


def runs(*spans: tuple[int, int]) -> Runs:
    """Runs from one second to before another."""
    start, end = zip(*spans, strict=True) if spans else ((), ())
    return Runs(np.array(start, np.int64), np.array(end, np.int64))


@pytest.mark.parametrize(
    ("start", "end", "kind", "seconds"),
    [
        (90, 200, "is_early", 10.0),
        (91, 200, "is_at_once", 9.0),
        (100, 200, "is_at_once", 0.0),
        (101, 200, "is_late", -1.0),
        (160, 200, "is_late", -60.0),
        (161, 200, "is_missed", None),
        (90, 100, "is_missed", None),
        (-800, 200, "is_early", 900.0),
        (-801, 200, "is_standing", 901.0),
    ],
)
def test_kinds_of_leads(start: int, end: int, kind: str, seconds: float | None) -> None:
    """An onset at second 100 and one run: each onset is of one kind."""
    found = leads(np.array([100]), runs((start, end)))
    kinds = ("is_early", "is_at_once", "is_late", "is_missed", "is_standing")
    assert [name for name in kinds if getattr(found, name)[0]] == [kind]
    assert seconds is None or found.seconds[0] == seconds
    assert found.run.tolist() == [-1 if seconds is None else 0]


def test_the_run_that_stands_goes_before_one_that_follows() -> None:
    """Of three runs: over, standing, next; without the standing one the next is late."""
    onset = np.array([100])
    assert leads(onset, runs((10, 50), (95, 120), (130, 140))).run.tolist() == [1]
    assert leads(onset, runs((10, 50), (130, 140))).seconds.tolist() == [-30.0]


def test_detected_is_by_lead() -> None:
    """Standing runs are not among them, late ones neither."""
    found = leads(np.array([100, 2_000, 4_000, 5_000]), runs((70, 110), (1_000, 2_100), (4_005, 9)))
    assert [found.detected(lead) for lead in (0, 30, 31)] == [1, 1, 0]


def test_nothing_stands_without_runs() -> None:
    """All are missed; no onsets are no leads."""
    assert leads(np.array([5, 9]), runs()).is_missed.all()
    assert len(leads(np.zeros(0, np.int64), runs((1, 2))).seconds) == 0


def test_chance_is_what_calm_seconds_would_have_had() -> None:
    """Ages 0 … 9 in ten of twenty calm seconds, at 5 s or more in five; too old is not chance."""
    calm = np.ones(20, np.bool_)
    assert chance(runs((5, 15)), calm, (0, 5)) == [10, 5]
    calm[:10] = False
    assert chance(runs((5, 15)), calm, [0]) == [5]
    assert chance(runs((0, 2_000)), np.ones(2_000, np.bool_), [0]) == [901]

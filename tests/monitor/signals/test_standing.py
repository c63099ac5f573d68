"""Where a product stands now, and which starts are told."""

import pytest
from msgspec.structs import replace

from monitor.signals.machines import Machines
from monitor.signals.rows import row_of
from monitor.signals.standing import Standing, present, standing_of, starts_of, withheld
from signals.records import Record
from signals.row import Budget
from tests.featurizer.market import START
from tests.monitor.signals.world import said
from tests.monitor.world import SECOND

LAST = START + 2 * SECOND


def shown(age: float, **more: object) -> Standing:
    """A product in a spike since its first second, so many seconds after its newest row."""
    machines, predictions = Machines(Budget()), [said(s, 0.8, 0.6, **more) for s in range(3)]
    for offset, prediction in enumerate(predictions):
        machines.take(prediction, 0, offset)
    row = row_of(predictions[-1], Budget())
    now_us = int(LAST + age * SECOND)
    return standing_of(machines.state("BTC-USD"), row, Budget(), now_us)


def start(**more: object) -> Record:
    """The record of a start of both levels."""
    machines, made = Machines(Budget()), list[Record]()
    for second in range(2):
        made += machines.take(said(second, 0.8, 0.6, **more), 0, second)
    [record] = [each for each in made if starts_of(each)]
    return record


def test_a_state_is_shown_with_the_newest_row() -> None:
    """Mode and detail are the machine's, the values those of the newest row."""
    now = shown(age=2.5)
    assert (now.mode, now.detail, now.since_us) == ("spike", "outlook", START)
    assert (now.score, now.severe, now.age_seconds, now.time_us) == (0.8, 0.6, 2.5, LAST)
    assert now.spike is not None and now.elevated is not None


@pytest.mark.parametrize(("age", "mode"), [(15.0, "spike"), (15.001, "blind")])
def test_a_row_above_fifteen_seconds_is_silence(age: float, mode: str) -> None:
    """By the wall clock, whatever the machine says; the runs are held."""
    now = shown(age)
    assert now.mode == mode
    assert (now.detail == "silent") == (now.since_us == LAST) == (mode == "blind")
    assert now.spike is not None


def test_a_state_before_its_first_second_is_since_never() -> None:
    """One row alone steps nothing."""
    machines = Machines(Budget())
    machines.take(said(0), 0, 0)
    row = row_of(said(0), Budget())
    now = standing_of(machines.state("BTC-USD"), row, Budget(), START)
    assert (now.mode, now.detail, now.since_us) == ("blind", "start", None)


@pytest.mark.parametrize(
    ("status", "founded"), [("seeded", False), ("provisional", True), ("established", True)]
)
def test_others_act_on_a_level_of_the_products_own(status: str, founded: bool) -> None:
    """A seed is shown as what it is, and told to nobody."""
    assert shown(0, tau_status=status).founded is founded
    told = withheld(start(tau_status=status), START + SECOND)
    assert told == (None if founded else "seeded")


def test_both_levels_start_with_one_record() -> None:
    """A spike from calm is a start of level 1, too."""
    assert [run.level for run in starts_of(start())] == [1, 2]


def test_old_and_late_starts_are_told_to_nobody() -> None:
    """By the row that decided: the minute it is about has begun without them."""
    assert withheld(start(), START + 15 * SECOND) is None
    assert withheld(start(), START + 15 * SECOND + 1) == "old"
    assert withheld(start(notes=["late"]), START) == "late"


def test_a_product_that_went_away_is_not_present() -> None:
    """An hour after the others; where all are silent, all are there."""
    near, far = shown(1.0), replace(shown(3_602.0), product_id="ETH-USD")
    assert present([near, far]) == [near]
    assert len(present([replace(near, age_seconds=3_000.0), far])) == 2

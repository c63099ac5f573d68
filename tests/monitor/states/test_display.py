"""What is shown at a moment of the wall clock, and what a desk is told of."""

import pytest
from msgspec.structs import replace

from monitor.states.display import (
    Displayed,
    acts,
    behind,
    deliverable,
    displayed,
    displayed_at,
    present,
)
from monitor.states.machines import Standing
from signals.records import Record
from signals.row import Row
from signals.state import State
from tests.signals.world import played, row, rows

SECOND = 1_000_000
CALM = rows(range(30))
SPIKE = rows(range(30, 40), 0.9, 0.8)


def standing(*taken: Row) -> Standing:
    """Return where a product stands after these predictions."""
    return Standing("BTC-USD", played(taken)[-1].state)


def shown(age_seconds: float, name: str = "BTC-USD") -> Displayed:
    """Return what is shown of a spike so many seconds after its last row was received."""
    last = SPIKE[-1]
    state = replace(played([*CALM, *SPIKE])[-1].state, last=last)
    found = displayed(Standing(name, state), last.received_us + int(age_seconds * SECOND))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("age", "mode", "detail"),
    [(0.0, "spike", "outlook"), (15.0, "spike", "outlook"), (15.1, "blind", "silent")],
)
def test_old_data_say_nothing_of_now(age: float, mode: str, detail: str) -> None:
    """Fifteen seconds after the newest row was received."""
    found = shown(age)
    assert (found.mode, found.detail, found.age_seconds) == (mode, detail, age)


def test_before_the_first_row_nothing_is_shown() -> None:
    """There is no state yet."""
    assert displayed(Standing("BTC-USD", State()), 0) is None


def test_a_product_that_went_away_is_shown_no_more() -> None:
    """An hour after the others; where all are silent, all are shown."""
    assert [each.product_id for each in present([shown(1), shown(3_700, "ETH-USD")])] == ["BTC-USD"]
    assert len(present([shown(9_000), shown(9_100, "ETH-USD")])) == 2


def started(**more: object) -> Record:
    """Return the record of a start."""
    taken = [*CALM, *[replace(each, **more) for each in SPIKE]]
    return next(r for r in played(taken) if getattr(r.event, "started", ()))


def test_a_start_on_an_earned_level_is_told_in_time() -> None:
    """Of both levels at once where a spike comes from calm."""
    record = started()
    assert [run.level for run in deliverable(record, record.row.received_us)] == [1, 2]


@pytest.mark.parametrize(
    ("more", "age"), [({"late": True}, 0), ({"tau_status": "seeded"}, 0), ({}, 16), ({}, 1_000)]
)
def test_what_is_late_old_or_seeded_is_recorded_and_never_told(
    more: dict[str, object], age: int
) -> None:
    """The desk acts on nothing of it."""
    record = started(**more)
    assert list(deliverable(record, record.row.received_us + age * SECOND)) == []


def test_a_seeded_level_is_shown_with_its_status() -> None:
    """Alerts do not act on it."""
    seeded = [replace(each, tau_status="seeded") for each in rows(range(3))]
    found = displayed(standing(*seeded), row(2).received_us)
    assert found is not None and (found.tau_status, found.acts) == ("seeded", False)


def test_no_alert_acts_on_a_late_row() -> None:
    """The minute that it is about has begun without it."""
    late = [replace(each, late=True) for each in rows(range(3))]
    found = displayed(standing(*late), row(2).received_us)
    assert found is not None and not found.acts


def of_market(seconds: range, behind_seconds: float, feed: str = "market-7@x") -> list[Row]:
    """Return calm rows of a feed, received so many seconds after their event time."""
    made = rows(seconds)
    late_us = int(behind_seconds * SECOND)
    return [replace(r, feed=feed, received_us=r.time_us + late_us) for r in made]


@pytest.mark.parametrize(
    ("seconds", "feed", "told"),
    [
        (15.0, "market-7@x", 0.0),
        (15.5, "market-7@x", 15.5),
        (4_500.0, "market-wandering-7@x", 4_500.0),
        (90_001.0, "market-7@x", 0.0),
        (4_500.0, "recording@x", 0.0),
        (4_500.0, "coinbase", 0.0),
    ],
)
def test_a_generated_past_is_behind_until_it_is_caught_up(
    seconds: float, feed: str, told: float
) -> None:
    """Recordings, the live feed and a market with an event time of its own never are."""
    (one,) = of_market(range(1), seconds, feed)
    assert behind(one) == told
    assert acts(one) == (told == 0.0)


def test_a_start_in_a_past_that_is_caught_up_is_never_told() -> None:
    """Once caught up, it is; the gauge acts likewise."""

    def told(behind_seconds: int) -> int:
        taken = [*CALM, *SPIKE]
        moved = [
            replace(r, feed="market-7@x", received_us=r.time_us + behind_seconds * SECOND)
            for r in taken
        ]
        record = next(r for r in played(moved) if getattr(r.event, "started", ()))
        return len(list(deliverable(record, record.row.received_us)))

    assert (told(1), told(3_000)) == (2, 0)


def test_all_products_with_a_row_are_shown() -> None:
    """One that nothing was taken of is none."""
    standings = [standing(*CALM), Standing("ETH-USD", State())]
    shown = displayed_at(standings, CALM[-1].received_us)
    assert [each.product_id for each in shown] == ["BTC-USD"]

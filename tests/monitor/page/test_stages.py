"""How long predictions took, by stage, over the last minute of the broker's time."""

import random

import pytest

from monitor.page.stages import BUDGETS, StageTimes, percentile
from tests.featurizer.market import START
from tests.monitor.page.world import said


def took(stages: StageTimes, second: float, *milliseconds: int, **more: object) -> None:
    """Take a prediction whose three stages took so long."""
    made = said(second, **more)
    at = made.received_us + 1_000 * milliseconds[0]
    scored = at + 1_000 * milliseconds[1]
    made = said(second, featurized_us=at, scored_us=scored, **more)
    stages.take(made, scored // 1_000 + milliseconds[2])


def test_each_stage_stands_beside_its_budget() -> None:
    """The whole is of the whole, and no sum of percentiles."""
    stages = StageTimes()
    for second in range(20):
        took(stages, second, 10, 20, 50 if second == 7 else 5)
    found = {each.stage: each for each in stages.figures()}
    assert [*found] == [*BUDGETS]
    assert found["received_to_featurized"].p95 == pytest.approx(0.010)
    assert found["received_to_featurized"].budget == pytest.approx(0.04)
    assert found["featurized_to_scored"].p50 == pytest.approx(0.020)
    assert found["scored_to_published"].p95 == pytest.approx(0.005)
    assert found["tick_to_prediction"].p95 == pytest.approx(0.035)
    assert found["tick_to_prediction"].budget == 0.1


def test_only_the_last_minute_counts() -> None:
    """By the broker's time; rates are predictions a second over that minute."""
    stages = StageTimes()
    for second in range(90):
        took(stages, second, 900 if second < 25 else 1, 1, 1)
    for second in range(80, 90):
        took(stages, second, 1, 1, 1, product_id="ETH-USD")
    assert stages.figures()[0].p95 == pytest.approx(0.001)
    assert stages.rates() == pytest.approx({"BTC-USD": 1.0, "ETH-USD": 10 / 60})


def test_of_nothing_there_are_no_figures() -> None:
    """And clocks that run backwards count as no time."""
    stages = StageTimes()
    assert (stages.figures(), stages.rates()) == ([], {})
    stages.take(said(0), START // 1_000 - 5_000)
    assert stages.figures()[-1].p95 == 0.0


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_so_many_stay_at_or_below_a_percentile(share: float) -> None:
    """And fewer below it: nearest rank."""
    chance = random.Random(3)
    for size in range(1, 60):
        values = sorted(chance.random() for _ in range(size))
        found = percentile(values, share)
        assert sum(value <= found for value in values) >= share * size
        assert sum(value < found for value in values) < share * size
